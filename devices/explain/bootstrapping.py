"""Why two devices of Wi-Fi Aware did not agree on a bootstrapping method."""

from devices.explain import causes, other_side
from devices.explain.air import nan_frame
from devices.explain.finding import Finding, Outcome, explains
from devices.explain.story import Event, Story, Telling, text_of
from pairing.nan.attributes import BootstrappingMethods, NpbaType, PairingBootstrapping
from pairing.nan.mistakes import known_bootstrapping_mistake


@explains("BootstrappingFailed")
def explain(story: Story, event: Event) -> Finding:
    """The reason, and the frame that said no."""
    peer = story.peer_of(event)
    frame = story.last_heard(str(event["actor"]), peer, event["at_us"], lambda each: _message(each) is not None)
    outcome, because = causes.first_of(
        causes.of_frame(frame),
        causes.of_lie(story, event, (str(event["actor"]), peer)),
        causes.mistake(text_of(event, "hint")),
        causes.mistake(_known(frame)),
        _of_choice(event),
        causes.of_other_side(story, event, peer, "BootstrappingFailed"),
        causes.of_loss(story, event, peer) if text_of(event, "error") == "ExchangeTimeoutError" else None,
        other_side.of_bootstrapping(story, event, peer),
    )
    return Finding(
        event=event,
        failed=f"bootstrapping, {text_of(event, 'rule')}",
        expected=text_of(event, "expected"),
        came=text_of(event, "came"),
        outcome=outcome,
        because=because,
        frame=frame,
    )


def _message(payload: bytes) -> PairingBootstrapping | None:
    frame = nan_frame(payload)
    return None if frame is None else frame.find(PairingBootstrapping)


def _known(frame: Telling | None) -> str | None:
    message = None if frame is None else _message(frame.payload)
    if message is None or message.type == NpbaType.RESPONSE:
        return None
    return known_bootstrapping_mistake(message, BootstrappingMethods.NONE)


def _of_choice(event: Event) -> causes.Reason | None:
    if text_of(event, "rule") == "user" or text_of(event, "error") == "cancelled":
        return Outcome.CHOICE, f"the user: {text_of(event, 'came')}"
    return None

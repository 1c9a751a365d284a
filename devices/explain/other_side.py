"""What the doing of another device tells, where the transcript has no word of its own: a foreign stack on the air.

Only its own log could prove it, so these reasons come last. They are what an independent implementation was seen to do
for that reason, or follow from what was compared.
"""

from devices.explain.causes import Reason
from devices.explain.finding import Outcome
from devices.explain.story import Event, Story, Telling, text_of
from pairing.engine import SECOND, Micros
from pairing.nan.identifiers import address_text

PRESENT: Micros = 15 * SECOND
"""Who was heard so shortly before is in view."""
_OF_THE_HOME = frozenset({"RadioRegistered", "RadioForgotten"})
"""What the home says of a program on its air."""
_AFTER_FRAME_2 = {
    "password": "as one does that finds our Confirm wrong: it has another password",
    "cached": "as one does that finds our MIC wrong: it remembers another key of the earlier pairing",
}
_BEFORE_FRAME_2 = {
    "password": "its owner has not decided",
    "opportunistic": "its owner has not decided",
    "cached": "it has forgotten the pairing, or its owner has not decided",
}


def is_silent(story: Story, peer: str) -> bool:
    """Whether the transcript has nothing that the device says of itself."""
    return not any(each["actor"] == peer and each["type"] not in _OF_THE_HOME for each in story.events)


def of_pairing(story: Story, event: Event, peer: str, *, is_password_right: bool) -> Reason | None:
    """What is left to be the reason for a failed attempt. `is_password_right`: ours is the one that the user gives."""
    if not is_silent(story, peer):
        return None
    mode, cause = text_of(event, "mode"), text_of(event, "cause")
    match cause:
        case "abandoned" if mode in _AFTER_FRAME_2:
            said = f"it fell silent after frame 2, {_AFTER_FRAME_2[mode]}"
        case "timed-out" if "frame 2" in text_of(event, "came"):
            said = _of_silence(story, event, _BEFORE_FRAME_2.get(mode, "it was busy"))
        case "wrong-key":
            said = "it remembers another key of the earlier pairing"
        case "wrong-password" if is_password_right:
            said = "it has another password than the given one"
        case "rejected" if event.get("status") == 1:
            said = "it said no: its owner, or its rules"
        case _:
            return None
    return Outcome.OTHER_SIDE, said


def of_data_path(story: Story, event: Event, peer: str) -> Reason | None:
    """What is left to be the reason for a data path that never opened."""
    if not is_silent(story, peer):
        return None
    error = text_of(event, "error")
    if error == "AuthenticationError":
        return Outcome.OTHER_SIDE, "it has another passphrase or key: no known mistake gives this from ours"
    if error == "PeerRejectedError":
        return Outcome.OTHER_SIDE, f"it said no: {text_of(event, 'came')}"
    if error == "ExchangeTimeoutError":
        said = "it has no keys with us any more, or its owner has not decided"
        return Outcome.OTHER_SIDE, _of_silence(story, event, said)
    return None


def of_bootstrapping(story: Story, event: Event, peer: str) -> Reason | None:
    """What is left to be the reason for a method that was not agreed upon."""
    if not is_silent(story, peer) or text_of(event, "error") != "ExchangeTimeoutError":
        return None
    return Outcome.OTHER_SIDE, _of_silence(story, event, "its owner has not decided, or did not come back")


def _of_silence(story: Story, event: Event, otherwise: str) -> str:
    # By its address: a stack that is started again is another program to the home.
    said = (each for each in story.heard(str(event["actor"]), event["at_us"]) if _sender(each) == event["peer"])
    last = next(said, None)
    if last is None or event["at_us"] - last.frame.at_us > PRESENT:
        return "nothing was heard of it any more"
    return f"it is in view and did not answer: {otherwise}"


def _sender(heard: Telling) -> str:
    return address_text(heard.payload[10:16])

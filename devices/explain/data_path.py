"""Why a data path never opened: ND-PMKIDs, MICs of the four messages, rejections, silence."""

import re
from collections.abc import Mapping

from devices.explain import causes, other_side
from devices.explain.air import nan_frame
from devices.explain.finding import Finding, Outcome, explains
from devices.explain.story import Event, Story, Telling, Values, number_of, text_of, values_of
from pairing.errors import DecodeError
from pairing.nan.attributes import KeyDescriptor, SecurityContextInfo, SharedKeyDescriptor
from pairing.nan.frames import NafSubtype, NanActionFrame
from pairing.nan.key_schedule import data_path_mic_length

_MESSAGES = {
    NafSubtype.DATA_PATH_REQUEST: 1,
    NafSubtype.DATA_PATH_RESPONSE: 2,
    NafSubtype.DATA_PATH_CONFIRM: 3,
    NafSubtype.DATA_PATH_KEY_INSTALLMENT: 4,
}
_ALL = tuple(_MESSAGES.values())
_NAMED_MESSAGE = re.compile(r"M([1-4]): ")
_SHOWN = (
    *("nd_pmk", "nd_pmkid_input", "nd_pmkid", "initiator_ndi", "responder_ndi", "initiator_nonce", "responder_nonce"),
    *("ptk", "kck", "kek", "tk", "auth_token_input", "auth_token"),
)
_POLICIES = frozenset({"user", "data-path-security", "service", "pairing", "number of data paths", "lie"})


@explains("DataPathFailed")
def explain(story: Story, event: Event) -> Finding:
    """The reason, the message that carried what failed, and the values of the handshake."""
    peer, actor, values = story.peer_of(event), str(event["actor"]), values_of(event)
    wanted = _message_that_failed(story, event)
    frame = story.last_heard(actor, peer, event["at_us"], lambda payload: _number(payload) in (wanted or _ALL))
    number = None if frame is None else _number(frame.payload)
    is_proof = bool(wanted) or text_of(event, "error") == "AuthenticationError"
    outcome, because = causes.first_of(
        causes.of_frame(frame),
        causes.of_lie(story, event, (actor, peer)),
        causes.mistake(text_of(event, "mistake")),
        _of_choice(event),
        causes.of_other_side(story, event, peer, "DataPathFailed"),
        _of_other_keys(story, event, peer, values),
        causes.of_loss(story, event, peer) if text_of(event, "error") == "ExchangeTimeoutError" else None,
        other_side.of_data_path(story, event, peer),
    )
    expected, came = _compared(frame, number, event, values) if is_proof else ("", "")
    return Finding(
        event=event,
        failed=_failed(event, number, is_proof=is_proof),
        expected=expected or text_of(event, "expected"),
        came=came or text_of(event, "came"),
        outcome=outcome,
        because=because,
        hint="no known mistake gives this from our keys: the peer has another passphrase or key"
        if outcome is Outcome.UNKNOWN and is_proof
        else "",
        frame=frame,
        values=_shown(values, number),
    )


def _message_that_failed(story: Story, event: Event) -> tuple[int, ...]:
    """The message whose proof did not fit, if the event or a frame that was ignored before it names one."""
    said = [text_of(event, "came")]
    if text_of(event, "mistake"):
        ignored = story.before(event, "FrameIgnored", actor=str(event["actor"]))
        said += [text_of(each, "reason") for each in ignored if each["at_us"] >= event["at_us"] - causes.WHILE]
    found = next((match for each in said if (match := _NAMED_MESSAGE.match(each))), None)
    return () if found is None else (int(found[1]),)


def _number(payload: bytes) -> int | None:
    """Which of the four messages a frame is."""
    frame = nan_frame(payload)
    if not isinstance(frame, NanActionFrame):
        return None
    return _MESSAGES.get(frame.subtype)  # type: ignore[call-overload,no-any-return]  # any number may come


def _failed(event: Event, number: int | None, *, is_proof: bool) -> str:
    rule = text_of(event, "rule")
    if not is_proof or number is None:
        return f"data path, {rule}"
    return f"ND-PMKID in M{number}" if "ND-PMKID" in text_of(event, "came") else f"MIC of M{number}"


def _compared(frame: Telling | None, number: int | None, event: Event, values: Values) -> tuple[str, str]:
    """What was compared, as octets: the MIC of a message, or the ND-PMKID that it names."""
    read = None if frame is None else nan_frame(frame.payload)
    if read is None:
        return "", ""
    if "ND-PMKID" in text_of(event, "came"):
        contexts = read.find(SecurityContextInfo)
        named = () if contexts is None else tuple(each.value.hex() for each in contexts.contexts)
        return values.get("nd_pmkid", b"").hex(), ", ".join(named)
    descriptor = _descriptor(read.find(SharedKeyDescriptor), number_of(event, "suite"))
    right = values.get(f"m{number}_mic", b"").hex()
    return right, "" if descriptor is None else descriptor.mic.hex()


def _descriptor(carried: SharedKeyDescriptor | None, suite: int) -> KeyDescriptor | None:
    if carried is None or suite not in (1, 2, 7, 8):
        return None
    try:
        return carried.key_descriptor(data_path_mic_length(suite))
    except DecodeError:
        return None


def _of_choice(event: Event) -> causes.Reason | None:
    rule = text_of(event, "rule")
    if rule in _POLICIES:
        return Outcome.CHOICE, f"{rule}: expected {text_of(event, 'expected')}, came {text_of(event, 'came')}"
    return None


def _of_other_keys(story: Story, event: Event, peer: str, values: Values) -> causes.Reason | None:
    """Where both sides are in the transcript: whether they had the same PMK."""
    for each in story.near(event, "DataPathFailed", actor=peer, within_us=causes.WHILE):
        theirs = values_of(each)
        if "nd_pmk" in values and "nd_pmk" in theirs and values["nd_pmk"] != theirs["nd_pmk"]:
            return Outcome.MISTAKE, "the two have other passphrases or keys: nd_pmk is not the same on both sides"
    return None


def _shown(values: Values, number: int | None) -> Mapping[str, bytes]:
    wanted = (*_SHOWN, f"m{number}_mic_input", f"m{number}_mic")
    return {name: values[name] for name in wanted if name in values}

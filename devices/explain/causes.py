"""Reasons that any failure may have, whatever the protocol: a fault on the way, a lie, the other side's own failure."""

from collections.abc import Iterable

from devices.explain.finding import Outcome
from devices.explain.story import Event, Story, Telling, text_of
from pairing.engine import SECOND, Micros

WHILE: Micros = 90 * SECOND
"""How far apart the two ends of one exchange may lie: the longest that one side waits for the other."""
Reason = tuple[Outcome, str]


def of_frame(frame: Telling | None) -> Reason | None:
    """A fault that changed the frame on its way."""
    if frame is None or not frame.is_changed or frame.arrived is None:
        return None
    sent, came = frame.frame.payload, frame.arrived
    place = next((at for at, (one, other) in enumerate(zip(sent, came, strict=False)) if one != other), None)
    if place is None:
        return Outcome.FAULT, f"a fault changed the frame on its way: {len(came)} bytes came of {len(sent)}"
    octets = f"{came[place]:02x} came for {sent[place]:02x} at offset {place}"
    return Outcome.FAULT, f"a fault changed the frame on its way: {octets}"


def of_loss(story: Story, event: Event, peer: str) -> Reason | None:
    """Frames between the two that a fault lost before the event."""
    lost = story.lost(str(event["actor"]), peer, event["at_us"], max(0, event["at_us"] - WHILE))
    if not lost:
        return None
    last = lost[-1]
    more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
    return Outcome.FAULT, f"a fault lost '{last.summary}' from {last.frame.sender} on its way{more}"


def of_lie(story: Story, event: Event, actors: Iterable[str]) -> Reason | None:
    """A deviation that one of them was told to make, before the event."""
    for each in story.before(event, "LieTold"):
        if each["actor"] in actors and event["at_us"] - each["at_us"] <= WHILE:
            where = f" in frame {each['frame']}" if each.get("frame") else ""
            return Outcome.FAULT, f"{each['actor']} was told to lie: {text_of(each, 'lie')}{where}"
    for each in story.before(event, "FaultFired"):
        is_target = text_of(each, "target") in actors
        if is_target and text_of(each, "what") and event["at_us"] - each["at_us"] <= WHILE:
            return Outcome.FAULT, f"the fault {text_of(each, 'kind')} of {text_of(each, 'target')}: {each['what']}"
    return None


def of_other_side(story: Story, event: Event, peer: str, *types: str) -> Reason | None:
    """What the other side says of the same exchange, if it knows more than that it waited."""
    for each in story.near(event, *types, actor=peer, within_us=WHILE):
        if _only_waited(each):
            continue
        said = text_of(each, "mistake") or text_of(each, "hint") or text_of(each, "came")
        rule = text_of(each, "rule")
        return Outcome.CONSEQUENCE, f"{peer} ended it, see event {each['id']}: {rule}: {said}".rstrip(": ")
    return None


def _only_waited(event: Event) -> bool:
    """Whether a failure says no more than that the other side was silent, or said no."""
    if text_of(event, "mistake") or text_of(event, "hint"):
        return False
    cause = text_of(event, "cause")
    return cause in _WAITED or (cause in ("", "identity") and text_of(event, "error").startswith(_SILENCE))


_WAITED = frozenset({"abandoned", "timed-out", "rejected"})
"""Causes that only say that the other side ended it."""
_SILENCE = ("ExchangeTimeoutError", "nothing usable came")


def first_of(*reasons: Reason | None) -> Reason:
    """The first reason that there is."""
    return next((each for each in reasons if each is not None), (Outcome.UNKNOWN, ""))


def mistake(words: str | None) -> Reason | None:
    """A known mistake, if there is one."""
    return (Outcome.MISTAKE, words) if words else None

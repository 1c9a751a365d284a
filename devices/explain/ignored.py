"""Why a frame was ignored. Most are ignored as the standard says, and that is no failure; here the others are told.

Those are frames that do not parse, service IDs that nobody has, proofs that did not fit, and frames that should have
been protected, or should not.
"""

import re
from collections.abc import Callable, Iterator

from devices.explain import causes
from devices.explain.air import management_frame, nan_frame
from devices.explain.finding import Finding, Outcome, explains
from devices.explain.story import Event, Story, Telling, text_of, values_of
from pairing.errors import DecodeError
from pairing.ieee80211.elements import CipherSuite
from pairing.ieee80211.frames import HEADER_LENGTH, ManagementFrame, Subtype
from pairing.ieee80211.protection_mistakes import known_tag_mistake
from pairing.keys import NanPairingKeys
from pairing.nan.attributes import (
    BootstrappingMethods,
    PairingBootstrapping,
    ServiceDescriptor,
    SharedKeyDescriptor,
    decode_attributes,
    registered_ids,
)
from pairing.nan.frames import read_nan_frame
from pairing.nan.mistakes import known_bootstrapping_mistake, known_nik_mistake, known_service_id_mistake
from pairing.pasn.form_mistakes import known_form_mistake

AIR = frozenset({"nan", "nan-pairing", "nan-bootstrapping", "nan-data-path", "pasn"})
_NAMED = re.compile(r"(?P<mistake>it comes from .+)$|(?:MIC does not fit|is wrong|NM-KEK): (?P<proof>.+)$")
_NO_MISTAKE = ("another key", "AES key unwrap")
_PROOF = re.compile(r"MIC does not fit|tag of the frame|does not open with|does not fit|NIK descriptor")
_CLEARTEXT = "not protected although"
_UNDER_NO_KEY = "protected dual category, but not encrypted"


@explains("FrameIgnored")
def explain(story: Story, event: Event) -> Finding | None:
    """A finding for a frame of the air; other protocols say in their reason what there is to say."""
    if text_of(event, "protocol") not in AIR:
        return None
    peer, reason = story.peer_of(event), text_of(event, "reason")
    frame = next((each for each in story.heard(str(event["actor"]), event["at_us"]) if each.frame.sender == peer), None)
    outcome, because = causes.first_of(
        causes.of_frame(frame),
        causes.mistake(_named_in(reason)),
        *(causes.mistake(judge(story, event, frame)) for judge in _JUDGES if frame is not None),
        _of_malformed(frame),
        causes.of_lie(story, event, (peer,)) if _PROOF.search(reason) else None,
        _of_end(story, event) if _PROOF.search(reason) else None,
    )
    is_failure = bool(because) or _PROOF.search(reason) is not None
    return Finding(
        event=event,
        failed=f"{text_of(event, 'protocol')}: {reason}",
        outcome=outcome if is_failure else Outcome.IGNORED,
        because=because,
        frame=frame,
    )


def _of_end(story: Story, event: Event) -> causes.Reason | None:
    """The end of the exchange that the frame belongs to, which has a finding of its own."""
    for each in story.near(event, *_ENDS, actor=str(event["actor"]), within_us=causes.WHILE):
        if each["id"] > event["id"] and each.get("peer") == event.get("peer"):
            return Outcome.CONSEQUENCE, f"belongs to the failure in event {each['id']}"
    return None


_ENDS = ("PairingFailed", "DataPathFailed", "BootstrappingFailed")


def _named_in(reason: str) -> str | None:
    """The mistake that the engine has named in its reason."""
    found = _NAMED.search(reason)
    named = None if found is None else found["mistake"] or found["proof"]
    return None if named is None or named.startswith(_NO_MISTAKE) else named


# Judges: each looks at the frame for one kind of mistake.


def _service(story: Story, event: Event, frame: Telling) -> str | None:
    read = nan_frame(frame.payload)
    for descriptor in () if read is None else read.find_all(ServiceDescriptor):
        for name in story.services():
            mistake = known_service_id_mistake(name, descriptor.service_id)
            if mistake is not None and descriptor.service_id not in story.cast.services:
                return f"service ID {descriptor.service_id.hex()} comes from {name!r}: {mistake}"
    return None


def _bootstrapping(story: Story, event: Event, frame: Telling) -> str | None:
    read = nan_frame(frame.payload)
    message = None if read is None else read.find(PairingBootstrapping)
    return None if message is None else known_bootstrapping_mistake(message, BootstrappingMethods.NONE)


def _authentication(story: Story, event: Event, frame: Telling) -> str | None:
    read = management_frame(frame.payload)
    if read is None or read.subtype != Subtype.AUTHENTICATION:
        return None
    return known_form_mistake(frame.payload[HEADER_LENGTH:])


def _protection(story: Story, event: Event, frame: Telling) -> str | None:
    reason, read = text_of(event, "reason"), management_frame(frame.payload)
    if _CLEARTEXT in reason:
        return "a frame in clear, category public (04), to a peer with whom keys are in use: expected protected (09)"
    if _UNDER_NO_KEY in reason:
        return "category protected dual (09) without encryption: before keys are in use it is public (04)"
    if read is not None and read.is_protected and "tag of the frame" in reason:
        return _tag(story, event, read)
    return None


def _tag(story: Story, event: Event, frame: ManagementFrame) -> str | None:
    for keys in _keys(story, event):
        cipher = CipherSuite.GCMP_256 if len(keys.nm_tk) == 32 else CipherSuite.CCMP_128
        mistake = known_tag_mistake(cipher, keys.nm_tk, frame)
        if mistake is not None:
            return mistake
    return None


def _nik(story: Story, event: Event, frame: Telling) -> str | None:
    read = nan_frame(frame.payload)
    carried = None if read is None else read.find(SharedKeyDescriptor)
    if read is None or carried is None:
        return None
    for keys in _keys(story, event):
        for initiator, responder in ((read.source, read.destination), (read.destination, read.source)):
            mistake = known_nik_mistake(carried, keys, initiator, responder)
            if mistake is not None and "initiator" not in mistake:
                return mistake
    return None


_JUDGES: tuple[Callable[[Story, Event, Telling], str | None], ...] = (
    *(_service, _bootstrapping, _authentication, _protection, _nik),
)


def _keys(story: Story, event: Event) -> Iterator[NanPairingKeys]:
    """The keys of the last pairings of the actor that are in the transcript, the newest first."""
    for each in story.before(event, "PairingCompleted", "PairingVerified", actor=str(event["actor"])):
        values = values_of(each, "keys")
        if values.keys() >= _KEY_NAMES:
            suite = each["keys"].get("suite")
            made = {name: values[name] for name in _KEY_NAMES}
            yield NanPairingKeys(suite=8 if suite == 8 else 7, is_authenticated=True, **made)


_KEY_NAMES = frozenset({"nm_kck", "nm_tk", "nm_kdk", "nm_kek", "nd_pmk", "npk"})


# Frames that do not parse


def _of_malformed(frame: Telling | None) -> causes.Reason | None:
    """A frame that does not parse: with a mistake where one is known, else with the place."""
    read = None if frame is None else management_frame(frame.payload)
    if read is None or read.is_protected or read.subtype != Subtype.ACTION:
        return None
    try:
        read_nan_frame(read)
    except DecodeError as error:
        mistake = _attribute_mistake(read.body)
        return (Outcome.MISTAKE, mistake) if mistake else (Outcome.UNKNOWN, f"the frame does not parse: {error}")
    return None


def _attribute_mistake(body: bytes) -> str | None:
    """Attributes whose lengths have the wrong byte order."""
    head = 6 if body[5:6] == b"\x13" else 7
    turned, at = bytearray(body[head:]), 0
    count = 0
    while at + 3 <= len(turned):
        turned[at + 1 : at + 3] = turned[at + 2], turned[at + 1]
        if turned[at] not in registered_ids():
            return None
        at += 3 + int.from_bytes(turned[at + 1 : at + 3], "little")
        count += 1
    try:
        decode_attributes(bytes(turned))
    except DecodeError:
        return None
    return "the lengths of the attributes are big endian" if count else None

"""Transcripts with one planted mistake: frames with one part changed, the arithmetic for it, and what must be said."""

import hmac
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

from devices.explain.finding import Finding, Outcome, explain_all
from devices.explain.story import Story
from devices.transcripts.reader import read_transcript
from pairing.ieee80211.elements import ElementId
from pairing.ieee80211.frames import ManagementFrame
from pairing.nan.attributes import Attribute, decode_attributes, encode_attributes
from pairing.nan.frames import NanFrame, decode_nan_frame
from pairing.pasn.messages import PasnFrame, nan_element
from tests.support.nan_transcript import RecordedHome


def findings_of(home: RecordedHome) -> list[Finding]:
    """The failures that the transcript's explanation tells."""
    story = Story(read_transcript(BytesIO(home.transcript)))
    return [each for each in explain_all(story) if each.is_failure]


def assert_named(home: RecordedHome, mistake: str) -> Finding:
    """The mistake is named, and every failure is explained."""
    findings = findings_of(home)
    named = [each for each in findings if each.outcome is Outcome.MISTAKE and mistake in each.because]
    assert named, [(each.event["type"], each.failed, each.because) for each in findings]
    assert all(each.is_explained for each in findings), [each.failed for each in findings if not each.is_explained]
    return named[0]


# Frames with one part changed


def pasn(frame: bytes, change: Callable[[PasnFrame], PasnFrame]) -> bytes:
    header = ManagementFrame.decode(frame)
    return replace(header, body=change(PasnFrame.decode(header.body)).encode()).encode()


def element(frame: PasnFrame, number: int, change: Callable[[bytes], bytes], extension: int | None = None) -> PasnFrame:
    changed = (
        replace(each, body=change(each.body)) if (each.id, each.extension) == (number, extension) else each
        for each in frame.elements
    )
    return replace(frame, elements=tuple(changed))


def nan(frame: bytes, change: Callable[[Attribute], Attribute]) -> bytes:
    read: NanFrame = decode_nan_frame(frame)
    return replace(read, attributes=tuple(change(each) for each in read.attributes)).encode()


def attribute_in_pasn(frame: PasnFrame, change: Callable[[Attribute], Attribute]) -> PasnFrame:
    attributes = tuple(change(each) for each in decode_attributes(frame.nan or b""))
    made = nan_element(encode_attributes(attributes))
    return replace(
        frame, elements=tuple(made if each.id == ElementId.VENDOR_SPECIFIC else each for each in frame.elements)
    )


# Arithmetic


def kdf(key: bytes, label: bytes, context: bytes, bits: int, name: str = "sha256") -> bytes:
    length = bits.to_bytes(2, "little")
    blocks = (hmac.digest(key, number.to_bytes(2, "little") + label + context + length, name) for number in range(1, 6))
    return b"".join(blocks)[: bits // 8]


def mic(key: bytes, covered: bytes, length: int = 16, name: str = "sha256") -> bytes:
    return hmac.digest(key, covered, name)[:length]

"""Frames with one mistake in their form: each is named, and recorded frames of an independent peer have none."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.ieee80211.elements import ElementId, ExtensionId
from pairing.pasn.form_mistakes import known_form_mistake
from pairing.pasn.messages import PasnFrame
from tests.support.nan_capture import captures

FRAMES = [
    (name, frame.kind, frame.octets[24:])
    for name, capture in captures().items()
    for frame in capture.frames
    if frame.kind.startswith("auth")
]
PASSWORD = {
    frame.kind: frame.octets[24:]
    for frame in captures()["password_pin_keypad_128_01"].frames
    if frame.kind.startswith("auth")
}


def changed(body: bytes, number: int, change: Callable[[bytes], bytes], extension: int | None = None) -> bytes:
    """The body with one element changed; an element that becomes empty goes."""
    frame = PasnFrame.decode(body)
    elements = []
    for each in frame.elements:
        if (each.id, each.extension) != (number, extension):
            elements.append(each)
        elif content := change(each.body):
            elements.append(replace(each, body=content))
    return replace(frame, elements=tuple(elements)).encode()


def parameters(body: bytes, change: Callable[[bytes], bytes]) -> bytes:
    return changed(body, ElementId.EXTENSION, change, ExtensionId.PASN_PARAMETERS)


def wrapped(body: bytes, change: Callable[[bytes], bytes]) -> bytes:
    return changed(body, ElementId.EXTENSION, change, ExtensionId.WRAPPED_DATA)


def rsne(body: bytes, change: Callable[[bytes], bytes]) -> bytes:
    return changed(body, ElementId.RSN, change)


def without_lengths(data: bytes) -> bytes:
    first = int.from_bytes(data[:2], "little")
    return data[2 : 2 + first] + data[4 + first :]


def swapped_lengths(data: bytes) -> bytes:
    first = int.from_bytes(data[:2], "little")
    return data[1::-1] + data[2 : 2 + first] + data[2 + first : 4 + first][::-1] + data[4 + first :]


def key_of(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    key = change(data[5:])
    return data[:4] + bytes((len(key),)) + key


ONE, TWO, THREE = PASSWORD["auth1"], PASSWORD["auth2"], PASSWORD["auth3"]
MISTAKES = {
    "algorithm is big endian": b"\x00\x07" + ONE[2:],
    "transaction sequence number is big endian": ONE[:2] + b"\x00\x01" + ONE[4:],
    "status code is big endian": TWO[:4] + b"\x00\x48" + TWO[6:],
    "the NAN element is missing": changed(ONE, ElementId.VENDOR_SPECIFIC, lambda body: b""),
    "have no length before each body": wrapped(TWO, without_lengths),
    "lengths in the SAE data of frame 2 are big endian": wrapped(TWO, swapped_lengths),
    "data of frame 1 have a length before them; ": wrapped(ONE, lambda d: len(d).to_bytes(2, "little") + d),
    "data of frame 3 have a length before them, and": wrapped(THREE, lambda d: len(d).to_bytes(2, "big") + d),
    "hunting and pecking": wrapped(ONE, lambda d: d[:4] + b"\0\0" + d[6:]),
    "group in the SAE Commit is big endian": wrapped(ONE, lambda d: d[:6] + b"\x00\x13" + d[8:]),
    "the RSNE is missing": rsne(ONE, lambda d: b""),
    "version of the RSNE is big endian": rsne(ONE, lambda d: b"\x00\x01" + d[2:]),
    "suite selectors of the RSNE are little endian": rsne(ONE, lambda d: d[:2] + d[5:1:-1] + d[6:]),
    "counts in the RSNE are big endian": rsne(ONE, lambda d: d[:6] + b"\x00\x01" + d[8:]),
    "not required (MFPR)": rsne(ONE, lambda d: d[:18] + b"\x80\x00" + d[20:]),
    "neither capable nor required": rsne(ONE, lambda d: d[:18] + b"\x00\x00" + d[20:]),
    "AKM PASN with an SAE Commit": rsne(ONE, lambda d: d[:17] + b"\x15" + d[18:]),
    "PASN Parameters are missing": parameters(ONE, lambda d: b""),
    "group in the PASN Parameters is big endian": parameters(ONE, lambda d: d[:2] + b"\x00\x13" + d[4:]),
    "wrapped data format 0": parameters(ONE, lambda d: d[:1] + b"\x00" + d[2:]),
    "x alone, without 02": parameters(ONE, lambda d: key_of(d, lambda key: key[1:])),
    "x and y without 04": parameters(ONE, lambda d: key_of(d, lambda key: key[1:] + bytes(32))),
    "begins with 05, expected 02": parameters(ONE, lambda d: key_of(d, lambda key: b"\x05" + key[1:])),
    "group 20 with CCMP_128": parameters(ONE, lambda d: d[:2] + b"\x14\x00" + d[4:]),
}
"""Part of the mistake's name -> a frame of an independent peer with that mistake."""


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_named(name: str) -> None:
    assert name in (known_form_mistake(MISTAKES[name]) or "")


@pytest.mark.parametrize(("name", "kind", "body"), FRAMES)
def test_frames_of_an_independent_peer_have_no_mistake(name: str, kind: str, body: bytes) -> None:
    assert known_form_mistake(body) is None


@given(st.binary(max_size=200))
def test_any_octets_are_judged_without_an_error(body: bytes) -> None:
    for octets in (body, b"\x07\x00\x01\x00\x00\x00" + body):
        assert isinstance(known_form_mistake(octets), str | None)

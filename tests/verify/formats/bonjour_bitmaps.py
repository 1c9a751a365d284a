"""Vectors of state bitmaps (`sb`): their meaning in words, and what python-otbr-api 3.1.0 makes of them.

Each bitmap is decoded to its meaning, encoded back from the words, and read the way the library does.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from pairing.thread.home_assistant_view import OtbrApiRefusalError, read_state_bitmap
from pairing.thread.state_bitmap import (
    Availability,
    ConnectionMode,
    InterfaceStatus,
    MultiAil,
    StateBitmap,
    ThreadRole,
)
from tests.verify.mismatch import Mismatch, compare, compare_members

Words = TypeVar("Words", ConnectionMode, InterfaceStatus, Availability, ThreadRole, MultiAil)


def recognises(document: object) -> bool:
    """Whether this is a list of state bitmaps."""
    return isinstance(document, dict) and isinstance(document.get("bitmaps"), list)


def check(document: dict[str, Any]) -> None:
    """Compare every bitmap of the list; raises Mismatch at the first member that differs."""
    for index, expected in enumerate(document["bitmaps"]):
        member = f"bitmaps[{index}]"
        data = bytes.fromhex(expected["hex"])
        compare_members(f"{member}.meaning", expected["meaning"], StateBitmap.decode(data).meaning())
        compare(f"{member}.hex", expected["hex"], bitmap_from_meaning(expected["meaning"]).encode().hex())
        compare_members(f"{member}.python_otbr_api_3_1_0", expected["python_otbr_api_3_1_0"], otbr_api_answer(data))


def bitmap_from_meaning(meaning: Mapping[str, Any]) -> StateBitmap:
    """A bitmap from its words. Only which of two reserved numbers is meant has to come from `value`."""
    value = int(meaning["value"], 16)
    return StateBitmap(
        connection_mode=_member(ConnectionMode, meaning["connectionMode"], value & 7),
        interface_status=_member(InterfaceStatus, meaning["interfaceStatus"], value >> 3 & 3),
        availability=_member(Availability, meaning["availability"], value >> 5 & 3),
        bbr_active=meaning["bbrActive"],
        bbr_primary=meaning["bbrPrimary"],
        role=_member(ThreadRole, meaning["role"], value >> 9 & 3),
        ephemeral_key_supported=meaning["ephemeralKeySupported"],
        multi_ail=_member(MultiAil, meaning["multiAil"], value >> 12 & 3),
        admitter_supported=meaning["admitterSupported"],
        bits_above_defined=meaning["bitsAboveDefined"],
    )


def otbr_api_answer(data: bytes) -> dict[str, object]:
    """The library's answer in the words of the vectors."""
    try:
        return {"ok": True, **asdict(read_state_bitmap(data))}
    except OtbrApiRefusalError:
        return {"ok": False, "error": "ValueError"}


def _member(kind: type[Words], words: str, number: int) -> Words:
    candidates = [member for member in kind if member.words == words]
    if not candidates:
        raise Mismatch("meaning", f"words of {kind.__name__}", words)
    return next((member for member in candidates if member == number), candidates[0])

"""The checker of recorded Wi-Fi Aware exchanges: files pass, and fail once a frame or an outcome is altered.

`test_every_leaf` alters and leaves out the recorded values.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.verify.formats import wifi_aware_capture
from tests.verify.replay import Format, all_formats, replay_document

FOLDER = Path(__file__).parents[1] / "vectors" / "wifi-aware"
FILES = ("password_protected_128_01", "verification_password_256_01", "ndp_group_keys_128_01", "wrong_password_256_01")
ONLY: list[Format] = [wifi_aware_capture]  # type: ignore[list-item]  # a module with those two functions


def document(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def altered(of: dict[str, Any], path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    changed = copy.deepcopy(of)
    parent: Any = changed
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return changed


def flipped(text: str, place: int) -> str:
    octets = bytearray.fromhex(text)
    octets[place] ^= 1
    return octets.hex()


@pytest.mark.parametrize("name", [path.stem for path in sorted(FOLDER.glob("*.json"))])
def test_every_file_is_of_exactly_one_format_and_passes(name: str) -> None:
    assert replay_document(document(name), all_formats()) is None


@pytest.mark.parametrize("name", FILES)
def test_each_altered_proof_in_a_frame_fails(name: str) -> None:
    """The last octets of Authentication frames are a MIC, the first of any frame its header."""
    original = document(name)
    survivors = []
    for index, frame in enumerate(original["frames"]):
        places = (0, 1, 5, 11, 17) + ((-1, -9) if frame["kind"].startswith("auth") else (24, 29))
        for member in ("hex", "protected_hex"):
            if member in frame:
                path = ("frames", index, member)
                changed = (altered(original, path, flipped(frame[member], place)) for place in places)
                survivors += [path for each in changed if replay_document(each, ONLY) is None]
    assert survivors == []


@pytest.mark.parametrize("name", FILES)
def test_changed_order_missing_frames_and_other_senders_fail(name: str) -> None:
    original = document(name)
    frames = original["frames"]
    other = {"initiator": "responder", "responder": "initiator"}
    for changed in (
        frames[:-1],
        [*frames[:-2], frames[-1], frames[-2]],
        [*frames, frames[-1]],
        [*frames[:-1], {**frames[-1], "from": other[frames[-1]["from"]]}],
        [*frames[:-1], {**frames[-1], "kind": "publish"}],
    ):
        assert replay_document({**original, "frames": changed}, ONLY) is not None


def test_altered_outcome_fails() -> None:
    original = document("password_protected_128_01")
    for role in ("initiator", "responder"):
        for index, event in enumerate(original[role]["events"]):
            if event["name"] in ("pairing_result", "ndp_connected"):
                text = event["text"].replace("status=0", "status=1")
                name = "ndp_disconnected" if event["name"] == "ndp_connected" else event["name"]
                changed = {"name": name, "text": f"{text} failure=1"}
                assert replay_document(altered(original, (role, "events", index), changed), ONLY) is not None


def test_a_protected_frame_without_its_sealed_form_fails() -> None:
    original = document("password_protected_128_01")
    sealed = [index for index, frame in enumerate(original["frames"]) if "protected_hex" in frame]
    for index in sealed:
        changed = copy.deepcopy(original)
        del changed["frames"][index]["protected_hex"]
        assert replay_document(changed, ONLY) is not None
    assert len(sealed) > 3


def test_a_value_or_group_of_values_that_is_gone_fails() -> None:
    original = document("password_protected_128_01")
    for role in ("initiator", "responder"):
        for group in ("keys", "pasn", "sae", "nik_exchange", "ndp"):
            for name in (min(original[role][group]), None):
                changed = copy.deepcopy(original)
                if name is None:
                    del changed[role][group]
                else:
                    del changed[role][group][name]
                assert replay_document(changed, ONLY) is not None, (role, group, name)


def test_value_of_an_unknown_name_fails() -> None:
    original = document("password_protected_128_01")
    assert replay_document(altered(original, ("initiator", "keys", "more"), "00"), ONLY) is not None


def test_unknown_mode_and_cipher_fail() -> None:
    original = document("password_protected_128_01")
    for member in ("mode", "cipher"):
        assert replay_document(altered(original, ("parameters", member), "other"), ONLY) is not None

"""The checker of constructed beacons: the file passes, and does not once one member is altered or gone."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.verify.formats import wifi_aware_beacons
from tests.verify.replay import all_formats, replay_document

FILE = Path(__file__).parents[1] / "vectors" / "wifi-aware" / "beacons_constructed.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
ANSWERS = [
    (index, name) for index, vector in enumerate(DOCUMENT["beacons"]) for name in vector if name not in ("name",)
]


def altered(value: Any) -> Any:
    return value ^ 1 if isinstance(value, int) else value[:-1] + ("1" if value[-1] != "1" else "0")


def test_the_file_passes_and_is_of_this_format_alone() -> None:
    assert replay_document(DOCUMENT, all_formats()) is None
    assert [each for each in all_formats() if each.recognises(DOCUMENT)] == [wifi_aware_beacons]


@pytest.mark.parametrize(("index", "name"), ANSWERS)
def test_each_altered_member_fails(index: int, name: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["beacons"][index][name] = altered(document["beacons"][index][name])
    assert replay_document(document, [wifi_aware_beacons]) is not None


@pytest.mark.parametrize(("index", "name"), ANSWERS)
def test_each_missing_member_fails(index: int, name: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    del document["beacons"][index][name]
    assert replay_document(document, all_formats()) is not None

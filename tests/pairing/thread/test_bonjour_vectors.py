"""The checkers of the Bonjour vectors: every file passes, and none does once a single answer in it is altered."""

import copy
import json
from pathlib import Path

import pytest

from pairing.errors import DecodeError
from tests.verify.formats import bonjour_bitmaps, bonjour_brands, bonjour_record
from tests.verify.mismatch import Mismatch

FORMATS = (bonjour_record, bonjour_bitmaps, bonjour_brands)
FILES = sorted((Path(__file__).parents[2] / "vectors" / "bonjour").glob("*.json"))
INFORMATION = {"format", "name", "kind", "source", "about", "type", "port", "server", "instance", "txt"}
NOT_COMPARED = {"vat", "vcd", "vvo", "vxp"}  # the README names no meaning for Google's text copies


def load(path):
    return json.loads(path.read_text())


def checker(document):
    (only,) = (module for module in FORMATS if module.recognises(document))
    return only


def answers(node, path=()):
    """The path of every leaf that is an answer; of an empty container, its own."""
    if isinstance(node, dict):
        for key, value in node.items():
            is_text_copy = len(path) == 2 and path[1] in NOT_COMPARED and key == "text"
            if not (path or key not in INFORMATION) or is_text_copy:
                continue
            yield from answers(value, (*path, key))
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from answers(value, (*path, index))
    else:
        yield path


def altered(value):
    """Another value of the same JSON type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, str):
        return value[:-1] + ("1" if value[-1:] == "0" else "0")
    if value is None:
        return "0"
    return [*value, "rv"] if isinstance(value, list) else {**value, "rv": {"hex": "31", "text": "1"}}


def replaced(document, path, change):
    copied = copy.deepcopy(document)
    node = copied
    for step in path[:-1]:
        node = node[step]
    change(node, path[-1])
    return copied


def set_altered(node, key):
    node[key] = altered(node[key])


def delete(node, key):
    del node[key]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_vector_passes(path):
    document = load(path)

    checker(document).check(document)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("change", [set_altered, delete], ids=["altered", "deleted"])
def test_vector_fails_when_one_answer_is_changed(path, change):
    document = load(path)
    paths = list(answers(document))

    assert paths
    for answer in paths:
        changed = replaced(document, answer, change)
        with pytest.raises((Mismatch, KeyError, ValueError)):
            checker(document).check(changed)


@pytest.mark.parametrize("path", [path for path in FILES if "txt" in load(path)], ids=lambda path: path.stem)
def test_vector_fails_when_a_byte_of_its_record_is_changed(path):
    document = load(path)
    data = bytearray.fromhex(document["txt"])
    data[-1] ^= 1
    changed = {**document, "txt": data.hex()}

    with pytest.raises((Mismatch, DecodeError)):
        bonjour_record.check(changed)


def test_mismatch_names_the_member_and_both_values():
    document = load(next(path for path in FILES if path.stem == "otbr-2026-leader"))
    document["decoded"]["at"]["timestamp"]["ticks"] = 3

    with pytest.raises(Mismatch, match=r"decoded\.at\.timestamp") as caught:
        bonjour_record.check(document)

    assert caught.value.got == {"seconds": 7, "ticks": 0, "authoritative": False}

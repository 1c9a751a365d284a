"""The checkers of Thread's known answers: each file passes, and none does once one answer is altered or gone."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.verify.formats import (
    thread_datasets,
    thread_datasets_malformed,
    thread_pskc,
    thread_steering_data,
    thread_verhoeff,
)
from tests.verify.replay import all_formats, replay_document

FOLDER = Path(__file__).parents[1] / "vectors" / "thread"
FILES = {
    "datasets": (thread_datasets, {"length", "decoded", "openthread_accepts"}),
    "datasets_malformed": (thread_datasets_malformed, {"openthread_set_active"}),
    "pskc": (thread_pskc, {"salt_hex", "pskc"}),
    "steering_data": (
        thread_steering_data,
        {"joiner_ids", "crc16_ccitt", "crc16_ansi", "steering_data", "any_joiner"},
    ),
    "verhoeff": (thread_verhoeff, {"valid", "openthread_check_digit"}),
}
"""File -> its checker and the members of a vector that are answers."""


def vectors(name: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / f"{name}.json").read_text())["vectors"]  # type: ignore[no-any-return]


ALL = [(name, index) for name in FILES for index in range(len(vectors(name)))]


def answers(name: str, vector: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
    """The path of every answer, containers and leaves."""
    for member in vector:
        is_input = member == "steering_data" and "any_joiner" in vector
        if member in FILES[name][1] and vector[member] is not None and not is_input:
            yield from paths(vector[member], (member,))


def paths(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    yield path
    for step in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield from paths(node[step], (*path, step))


def altered(value: Any) -> Any:
    """Another value of the same JSON type that means something else."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, str):
        if value == "Done" or value.startswith("Error"):
            return "Error 7: InvalidArgs" if value == "Done" else "Done"
        return value[:-1] + ("1" if value[-1:] == "0" else "0")
    return [*value, 1] if isinstance(value, list) else {**value, "more": 1}


@pytest.mark.parametrize("name", FILES)
def test_whole_file_passes(name: str) -> None:
    assert replay_document({"vectors": vectors(name)}, all_formats()) is None


@pytest.mark.parametrize("name", FILES)
def test_file_is_of_exactly_one_format(name: str) -> None:
    fitting = [module for module in all_formats() if module.recognises({"vectors": vectors(name)})]
    assert fitting == [FILES[name][0]]


@pytest.mark.parametrize(("name", "index"), ALL)
def test_each_altered_answer_fails(name: str, index: int) -> None:
    vector = vectors(name)[index]
    known = [FILES[name][0]]
    survivors = []
    for path in answers(name, vector):
        changed = copy.deepcopy(vector)
        parent: Any = changed
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = altered(parent[path[-1]])
        if replay_document({"vectors": [changed]}, known) is None:
            survivors.append(path)
    assert survivors == []


@pytest.mark.parametrize(("name", "index"), ALL)
def test_each_missing_answer_fails(name: str, index: int) -> None:
    vector = vectors(name)[index]
    survivors = []
    for path in answers(name, vector):
        if path == ("openthread_check_digit",):
            continue  # null or absent where the recording tool could not say
        changed = copy.deepcopy(vector)
        parent: Any = changed
        for step in path[:-1]:
            parent = parent[step]
        del parent[path[-1]]
        if replay_document({"vectors": [changed]}, all_formats()) is None:
            survivors.append(path)
    assert survivors == []


@pytest.mark.parametrize("name", FILES)
def test_altering_the_last_vector_fails_the_whole_file(name: str) -> None:
    document = {"vectors": vectors(name)}
    (member,) = list(answers(name, document["vectors"][-1]))[-1][:1]
    document["vectors"][-1][member] = altered(document["vectors"][-1][member])
    failure = replay_document(document, all_formats())
    assert failure is not None
    assert failure.startswith(f"vectors[{len(document['vectors']) - 1}].{member}: expected ")


def test_fields_in_another_order_fail() -> None:
    vector = vectors("datasets")[0]
    vector["decoded"] = dict(reversed(vector["decoded"].items()))
    assert replay_document({"vectors": [vector]}, all_formats()) is not None


def test_any_error_stands_for_any_refusal() -> None:
    vector = vectors("datasets_malformed")[0]
    vector["openthread_set_active"] = "Error 11: Parse"
    assert replay_document({"vectors": [vector]}, all_formats()) is None
    vector["openthread_set_active"] = "Donee"
    assert replay_document({"vectors": [vector]}, all_formats()) is not None


def test_inputs_as_text_and_as_hexadecimal_must_agree() -> None:
    vector = vectors("pskc")[0]
    del vector["passphrase"]
    assert replay_document({"vectors": [vector]}, all_formats()) is None
    vector["passphrase"] = "another one"
    assert replay_document({"vectors": [vector]}, all_formats()) is not None

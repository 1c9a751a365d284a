"""The checker of recorded connections: each file passes, and none does once one answer in it is altered."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.verify.formats import thread_commissioner, thread_dtls
from tests.verify.replay import all_formats, replay_document

KNOWN = [thread_commissioner, thread_dtls]
FOLDER = Path(__file__).parents[1] / "vectors" / "thread"
FILES = sorted(path.stem for path in FOLDER.glob("*.json") if "client_private" in path.read_text())
ANSWERS = {
    "client_premaster",
    "server_premaster",
    "client_shared_point_x",
    "server_shared_point_x",
    "client_master",
    "server_master",
    "master_label",
    "master_seed",
    "key_block_40",
    "server_key_block_40",
    "keys",
    "kek",
    "kek_in_relay_tx",
    "transcript_hash_ch_to_cke",
    "client_verify_data",
    "server_verify_data",
    "zkp_hash_inputs_client_view",
    "extended_master_secret",
    "datagrams",
    "records",
    "records_under_server_keys",
}
"""Members that are answers, down to their leaves, but for the leaves below."""
FREE = {"t", "lost", "note", "tlvs", "outer_datagram"}
"""Leaves that are inputs, text, or the business of another checker."""
TAMPERED_INPUTS = {"client_random", "server_random", "password_hex", "client_password_hex", "joiner_password_hex"}


def load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text())  # type: ignore[no-any-return]


def leaves(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(node, dict):
        for name, each in node.items():
            if name not in FREE:
                yield from leaves(each, (*path, name))
    elif isinstance(node, list):
        for index, each in enumerate(node):
            yield from leaves(each, (*path, index))
    else:
        yield path


def answers(document: dict[str, Any], path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    for name, each in document.items():
        if name in ANSWERS:
            yield from leaves(each, (*path, name))
    for name, scalar in (("client_private", "x2s"), ("server_private", "x4s")):
        yield (*path, name, scalar)
    if "inner_joiner_dtls" in document:
        yield from answers(document["inner_joiner_dtls"], ("inner_joiner_dtls",))


def altered(value: Any) -> Any:
    """Another value of the same JSON type that means something else."""
    if value is None:
        return "00"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    return value[:-1] + ("1" if value[-1:] == "0" else "0")


def survivors(document: dict[str, Any], paths: list[tuple[str | int, ...]]) -> list[tuple[str | int, ...]]:
    """The paths that can be altered without the checker noticing."""
    found = []
    for path in paths:
        changed = copy.deepcopy(document)
        parent: Any = changed
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = altered(parent[path[-1]])
        if replay_document(changed, KNOWN) is None:
            found.append(path)
    return found


def test_there_are_files() -> None:
    assert len(FILES) >= 15


@pytest.mark.parametrize("name", FILES)
def test_whole_file_passes_as_exactly_one_format(name: str) -> None:
    assert replay_document(load(name), all_formats()) is None


@pytest.mark.parametrize("name", FILES)
def test_some_altered_answers_fail(name: str) -> None:
    document = load(name)
    paths = list(answers(document))
    datagrams = [path for path in paths if path[-1] == "hex"]
    tops = [path for path in paths if len(path) == 1 or path[0] in ("client_private", "server_private", "keys")]
    assert survivors(document, [*tops, *datagrams[::7], *paths[:: len(paths) // 8]]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_each_altered_answer_fails(name: str) -> None:
    document = load(name)
    assert survivors(document, list(answers(document))) == []


@pytest.mark.parametrize("name", ["dtls_thread_like_pskd", "commissioner_full_run", "epskc_run"])
def test_altered_input_fails(name: str) -> None:
    document = load(name)
    assert survivors(document, [(each,) for each in TAMPERED_INPUTS if each in document]) == []


def test_missing_record_fails() -> None:
    document = load("dtls_no_cookie")
    del document["records"][3]
    assert replay_document(document, KNOWN) is not None


def test_missing_datagram_fails() -> None:
    for index in range(8):
        document = load("dtls_no_cookie")
        del document["datagrams"][index]
        assert replay_document(document, KNOWN) is not None

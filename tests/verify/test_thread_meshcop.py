"""The checkers of recorded commissioning, of management verdicts and of multicast DNS: each file passes, and none does
once one answer in it is altered."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.verify.formats import thread_commissioner, thread_mdns, thread_mgmt_verdicts
from tests.verify.replay import all_formats, replay_document

FOLDER = Path(__file__).parents[1] / "vectors" / "thread"
SESSIONS = sorted(path.stem for path in FOLDER.glob("*.json") if '"border_agent": {' in path.read_text())
CHECKERS = {
    **dict.fromkeys(SESSIONS, thread_commissioner),
    "mgmt_verdicts": thread_mgmt_verdicts,
    "mdns_meshcop": thread_mdns,
}
Path_ = tuple[str | int, ...]


def load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text())  # type: ignore[no-any-return]


def leaves(node: Any, path: Path_ = ()) -> Iterator[Path_]:
    if isinstance(node, dict):
        for name, each in node.items():
            yield from leaves(each, (*path, name))
    elif isinstance(node, list):
        for index, each in enumerate(node):
            yield from leaves(each, (*path, index))
    else:
        yield path


def answers(name: str, document: dict[str, Any]) -> list[Path_]:
    """Leaves that a checker must not let pass when they differ."""
    if name == "mgmt_verdicts":
        given = [
            path for path in leaves(document["exchanges"], ("exchanges",)) if path[-1] not in ("case", "after_event")
        ]
        # A request with another value may well get the same answer, and any path may be unknown.
        exchanges = document["exchanges"]
        unknown = [number for number, each in enumerate(exchanges) if each["response_code"] == "4.04"]
        given = [path for path in given if path[2] not in ("request_tlvs", "live")]
        return [path for path in given if path[2] != "path" or path[1] not in unknown]
    if name == "mdns_meshcop":
        numbers = ("ttl", "priority_weight_port")  # any number is a good one
        return [path for path in leaves(document["records"], ("records",)) if not set(numbers) & set(map(str, path))]
    found = [path for path in leaves(document["records"], ("records",)) if "coap" in path]
    inner = document.get("inner_joiner_dtls", {})
    found += [path for path in leaves(inner.get("records", []), ("inner_joiner_dtls", "records")) if "coap" in path]
    return found


def altered(value: Any) -> Any:
    if value is None:
        return "reject"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    if not value:
        return "00"
    at = 1 if len(value) > 2 else len(value) - 1  # the last octet may be one that runs
    return value[:at] + ("1" if value[at] == "0" else "0") + value[at + 1 :]


def survivors(name: str, document: dict[str, Any], paths: list[Path_]) -> list[Path_]:
    found = []
    for path in paths:
        changed = copy.deepcopy(document)
        parent: Any = changed
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = altered(parent[path[-1]])
        if replay_document(changed, [CHECKERS[name]]) is None:
            found.append(path)
    return found


def test_every_recorded_session_is_there() -> None:
    assert {"commissioner_full_run", "commissioner_joiner_relay", "commissioner_superseded", "epskc_run"} <= set(
        SESSIONS
    )


@pytest.mark.parametrize("name", CHECKERS)
def test_whole_file_passes_as_exactly_one_format(name: str) -> None:
    assert replay_document(load(name), all_formats()) is None
    assert [module for module in all_formats() if module.recognises(load(name))] == [CHECKERS[name]]


@pytest.mark.parametrize("name", CHECKERS)
def test_some_altered_answers_fail(name: str) -> None:
    document = load(name)
    paths = answers(name, document)
    assert survivors(name, document, paths[:: 1 + len(paths) // 25]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKERS)
def test_each_altered_answer_fails(name: str) -> None:
    document = load(name)
    assert survivors(name, document, answers(name, document)) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("commissioner_full_run", ("border_agent", "commissioner_session_id")),
        ("commissioner_full_run", ("border_agent", "border_agent_locator")),
        ("commissioner_full_run", ("border_agent", "active_dataset")),
        ("commissioner_petition_rejected", ("border_agent", "active_commissioner")),
        ("commissioner_superseded", ("border_agent", "events", 0, "before_datagram")),
        ("commissioner_joiner_relay", ("joiner_eui64",)),
        ("commissioner_joiner_relay", ("commissioner_admits", "joiner_pskd")),
        ("commissioner_joiner_relay", ("commissioner_admits", "provisioning_url")),
        ("commissioner_joiner_relay", ("inner_joiner_dtls", "kek_in_relay_tx", 0)),
        ("commissioner_joiner_relay", ("inner_joiner_dtls", "kek_matches")),
        ("epskc_run", ("code",)),
        ("mgmt_verdicts", ("initial_commissioner_dataset", "border_agent_locator")),
    ],
)
def test_altered_state_changes_the_answers(name: str, path: Path_) -> None:
    document = load(name)
    parent: Any = document
    for step in path[:-1]:
        parent = parent[step]
    given = parent[path[-1]]
    parent[path[-1]] = 30 if isinstance(given, int) and not isinstance(given, bool) else altered(given)
    assert replay_document(document, [CHECKERS[name]]) is not None


def test_an_event_that_is_left_out_shows() -> None:
    document = load("mgmt_verdicts")
    del document["exchanges"][46]["after_event"]
    assert replay_document(document, [thread_mgmt_verdicts]) is not None
    document = load("commissioner_superseded")
    document["border_agent"]["events"].clear()
    assert replay_document(document, [thread_commissioner]) is not None

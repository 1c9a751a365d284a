"""Older generations of agent, and what an agent can be made to say wrongly."""

import asyncio
import json

import pytest

from devices.otbr import NO_LIES, PASCAL_CASE, PENDING_LIES, WITHOUT_DATASETS, OtbrLies, OtbrProfile
from devices.otbr.json_text import Json
from devices.otbr.member_case import from_pascal, to_pascal
from pairing.engine import SECOND
from tests.support.otbr_node import LEADER_TIME, Client, SteppedNode
from tests.support.thread_network import DATASET

PENDING = json.dumps({"activeDataset": {"channel": 20}, "delay": 60000})


def leader(lies: OtbrLies = NO_LIES) -> Client:
    client = Client(SteppedNode(DATASET), lies=lies)
    client.node.perform(client.node.engine.network.enable)
    client.node.advance(LEADER_TIME)
    return client


def test_an_old_agent_has_no_api_and_no_discovery() -> None:
    client = Client(SteppedNode(DATASET), PASCAL_CASE)
    for path in ("/api/actions", "/api/node", "/api/devices/0000000000000000", "/.well-known/thread/br-rest"):
        assert client.ask("GET", path, accept="*/*").status == 404
    assert client.ask("GET", "/node/ba-epskc/key").status == 404


def test_an_old_agent_reads_and_writes_pascal_case() -> None:
    client = Client(SteppedNode(DATASET), PASCAL_CASE)
    shown = json.loads(client.ask("GET", "/node/dataset/active").body)
    assert (shown["NetworkName"], shown["PSKc"], shown["ActiveTimestamp"]["Seconds"]) == (
        "EmuTestNet",
        "a1b2c3d4e5f60718293a4b5c6d7e8f90",
        1,
    )
    assert "NumOfRouter" in json.loads(client.ask("GET", "/node").body)
    assert client.ask("PUT", "/node/dataset/active", '{"NetworkName": "Old", "networkName": "New"}').status == 200
    assert client.node.engine.network.network_name == "Old"
    assert client.ask("PUT", "/node/dataset/active", "nonsense").status == 400


def test_pascal_case_goes_there_and_back() -> None:
    document: dict[str, Json] = {"pskc": "x", "activeTimestamp": {"seconds": 1}, "list": [{"panId": 1}], "n": None}
    old = to_pascal(document)
    assert isinstance(old, dict)
    assert set(old) == {"PSKc", "ActiveTimestamp", "List", "N"}
    assert from_pascal(to_pascal(document)) == document


def test_an_agent_without_dataset_routes_has_404_there_and_405_for_a_reset() -> None:
    client = Client(SteppedNode(DATASET), WITHOUT_DATASETS)
    for path in ("/node/dataset/active", "/node/dataset/pending", "/node/ba-id"):
        assert client.ask("GET", path).status == 404
    assert client.ask("DELETE", "/node").status == 405
    assert client.ask("GET", "/node/state").status == 200


def test_upstream_has_no_delete_on_datasets() -> None:
    client = Client(SteppedNode(DATASET), OtbrProfile(dataset_delete=False))
    assert client.ask("DELETE", "/node/dataset/active").status == 404


@pytest.mark.parametrize("lie", sorted(PENDING_LIES))
def test_a_good_pending_dataset_is_refused_as_newer_agents_do(lie: str) -> None:
    client = leader(OtbrLies(pending=lie))
    status, detail = PENDING_LIES[lie]
    answer = client.ask("PUT", "/node/dataset/pending", PENDING)
    assert (answer.status, json.loads(answer.body)["detail"]) == (status, detail)
    assert client.ask("GET", "/node/dataset/pending").status == 204
    assert client.node.journal.lies == [(lie, "PUT /node/dataset/pending")]
    client.app.lies = NO_LIES
    assert client.ask("PUT", "/node/dataset/pending", PENDING).status == 201


def test_a_bad_pending_dataset_is_refused_for_what_it_is_and_no_lie_is_told() -> None:
    client = leader(OtbrLies(pending="pending-busy"))
    assert client.ask("PUT", "/node/dataset/pending", "{}").status == 400
    assert client.node.journal.lies == []


def test_unknown_pending_lies_are_refused() -> None:
    with pytest.raises(ValueError, match="pending-busy"):
        OtbrLies(pending="pending-perhaps")


def test_start_up_408_is_told_so_many_times() -> None:
    client = leader(OtbrLies(start_up_408=2))
    assert [client.ask("GET", "/node/state").status for _ in range(3)] == [408, 408, 200]
    assert [lie for lie, _ in client.node.journal.lies] == ["start-up-408"] * 2
    client.app.lies = OtbrLies(start_up_408=1)
    assert client.ask("GET", "/node").status == 408


def test_old_agent_hides_what_is_newer() -> None:
    client = leader(OtbrLies(old_agent=True))
    for path in ("/node/dataset/active", "/node/dataset/pending", "/api/actions", "/.well-known/thread/br-rest"):
        assert client.ask("GET", path, accept="*/*").status == 404
    assert client.ask("GET", "/node/state").status == 200
    assert {lie for lie, _ in client.node.journal.lies} == {"old-agent"}


@pytest.mark.parametrize("path", ["/node", "/node/state", "/node/dataset/active", "/api/actions"])
def test_truncated_json_does_not_parse(path: str) -> None:
    client = leader(OtbrLies(truncated_json=True))
    answer = client.ask("GET", path, accept="*/*")
    assert answer.status == 200
    with pytest.raises(ValueError, match=r"."):
        json.loads(answer.body)
    assert client.node.journal.lies == [("truncated-json", f"GET {path}")]


def test_truncated_json_leaves_text_and_empty_answers_alone() -> None:
    client = leader(OtbrLies(truncated_json=True))
    assert client.ask("GET", "/node/dataset/active", accept="text/plain").body.decode() == DATASET.hex().upper()
    assert client.ask("OPTIONS", "/node/state").status == 200
    assert client.node.journal.lies == []


@pytest.mark.asyncio
async def test_slow_answer_holds_back_the_answer_after_the_request_took_effect() -> None:
    client = leader(OtbrLies(slow_answer=3 * SECOND))
    sent: list[dict[str, object]] = []

    asked: list[dict[str, object]] = [{"type": "http.request", "body": b'"disable"', "more_body": False}]

    async def receive() -> dict[str, object]:
        return asked.pop() if asked else await asyncio.Future()

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        assert client.node.slept == 3 * SECOND
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/node/state",
        "headers": [],
        "query_string": b"",
        "client": ("127.0.0.1", 5),
    }
    await client.app(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert str(client.node.engine.network.role) == "disabled"
    assert client.node.journal.lies == [("slow-answer", "PUT /node/state")]
    assert client.node.journal.requests == [("PUT", "/node/state", 200, "127.0.0.1")]

"""The `/api/…` routes beyond the measured cases: media types, legal characters, sparse fields, limits."""

import json
from typing import Any

import pytest

from devices.otbr.json_text import Json
from devices.otbr.messages import Answer
from devices.otbr.resource import LIMIT, Collection, StoredItem, asked_fields, sparse
from pairing.engine import SECOND
from pairing.thread.diagnostics import ThreadChild
from tests.support.otbr_node import LEADER_TIME, Client, SteppedNode
from tests.support.thread_network import DATASET

COLLECTIONS = ["/api/actions", "/api/devices", "/api/diagnostics"]
JSON_API = "application/vnd.api+json"
RESET = {"type": "resetNetworkDiagCounterTask", "attributes": {"types": ["macCounters"], "timeout": 5}}
CHILD = ThreadChild(ext_address=bytes.fromhex("0a0b0c0d0e0f1011"), mesh_local_iid=bytes.fromhex("2122232425262728"))


def leader() -> Client:
    client = Client(SteppedNode(DATASET))
    client.node.perform(client.node.engine.network.enable)
    client.node.advance(LEADER_TIME)
    return client


def document(answer: Answer, media_type: str = JSON_API) -> Any:
    assert (answer.status, answer.content_type) == (200, media_type)
    return json.loads(answer.body)


def own_id(client: Client) -> str:
    return client.node.engine.network.ext_address.hex()


@pytest.mark.parametrize("path", [*COLLECTIONS, "/api/node"])
@pytest.mark.parametrize(
    ("accept", "media_type"), [("*/*", JSON_API), (JSON_API, JSON_API), ("application/json", "application/json")]
)
def test_three_accepts_are_answered(path: str, accept: str, media_type: str) -> None:
    answer = Client(SteppedNode()).ask("GET", path, accept=accept)
    assert (answer.status, answer.content_type) == (200, media_type)


@pytest.mark.parametrize("path", [*COLLECTIONS, "/api/node", "/api/devices/0000000000000000", "/api/actions/x"])
@pytest.mark.parametrize("accept", [None, "", "text/html", "application/json, */*", "application/*", "*/*;q=0.8"])
def test_any_other_accept_is_406(path: str, accept: str | None) -> None:
    headers = {} if accept is None else {"accept": accept}
    answer = Client(SteppedNode()).ask("GET", path, **headers)
    assert (answer.status, answer.content_type) == (406, "application/json")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 406),
        ("application/json", 415),
        (f"{JSON_API}; charset=utf-8", 415),
        (JSON_API.upper(), 415),
        (JSON_API, 200),
    ],
)
def test_post_wants_exactly_its_media_type(content_type: str | None, status: int) -> None:
    headers = {} if content_type is None else {"content_type": content_type}
    assert leader().ask("POST", "/api/actions", json.dumps({"data": []}), **headers).status == status


@pytest.mark.parametrize("path", COLLECTIONS)
@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    ("query", "headers", "body"),
    [
        ("?a=b%26c", {}, ""),
        ("?a=%40", {}, ""),
        ("?a=%C3%A9", {}, ""),
        ("?a@=1", {}, ""),
        ("", {"user_agent": "Browser (<1>)"}, ""),
        ("", {"user_agent": "caf\u00e9"}, ""),
        ("", {"referer": "http://x/#y"}, ""),
        ("", {"x": "100%"}, ""),
        ("", {"x": "%40"}, ""),
        ("", {"x": "it's"}, ""),
        ("", {}, "a\tb"),
        ("", {}, "~"),
        ("", {}, "%zz"),
    ],
)
def test_illegal_characters_on_collections_are_400(
    path: str, method: str, query: str, headers: dict[str, str], body: str
) -> None:
    assert Client(SteppedNode()).ask(method, path + query, body, accept="*/*", **headers).status == 400


@pytest.mark.parametrize("path", COLLECTIONS)
def test_legal_characters_pass(path: str) -> None:
    headers = {"accept": "*/*", "user_agent": 'Python/3.11 (a; b) [c] {d} "e", *:?-+=_.', "x": "%20%3D"}
    assert Client(SteppedNode()).ask("GET", f"{path}?x=%20y", **headers).status == 200


@pytest.mark.parametrize("path", ["/node", "/node/state", "/api/node", "/.well-known/thread/br-rest"])
def test_other_routes_take_any_characters_and_counts(path: str) -> None:
    many = {f"x_{number}": "<~>" for number in range(40)}
    answer = Client(SteppedNode()).ask(
        "GET", f"{path}?{'&'.join(f'a{n}=%40' for n in range(20))}", accept="*/*", **many
    )
    assert answer.status == 200


@pytest.mark.parametrize(("count", "status"), [(31, 200), (32, 400)])
def test_headers_are_counted(count: int, status: int) -> None:
    headers = {"accept": "*/*", **{f"x_{number}": "1" for number in range(count - 1)}}
    assert Client(SteppedNode()).ask("GET", "/api/devices", **headers).status == status


@pytest.mark.parametrize(("count", "status"), [(15, 200), (16, 400)])
def test_query_parameters_are_counted(count: int, status: int) -> None:
    query = "&".join(f"a{number}=1" for number in range(count))
    assert Client(SteppedNode()).ask("GET", f"/api/devices?{query}", accept="*/*").status == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/actions"),
        ("POST", "/api/devices"),
        ("POST", "/api/node"),
        ("OPTIONS", "/api/node"),
        ("OPTIONS", "/api/actions/00000000-0000-4000-8000-000000000000"),
        ("GET", "/api/devices/"),
        ("GET", "/api/devices/a/b"),
        ("GET", "/api"),
        ("PUT", "/.well-known/thread/br-rest"),
        ("DELETE", "/.well-known/thread/br-rest"),
    ],
)
def test_known_methods_without_a_handler_are_404(method: str, path: str) -> None:
    assert Client(SteppedNode()).ask(method, path, accept="*/*", content_type=JSON_API).status == 404


def test_a_factory_reset_leaves_this_node_out_until_devices_are_looked_for() -> None:
    client = leader()
    old = own_id(client)
    client.ask("DELETE", "/node")
    assert client.ask("GET", "/api/node", accept="*/*").status == 404
    assert [item["id"] for item in document(client.ask("GET", "/api/devices", accept="*/*"))["data"]] == [old]


def test_devices_are_a_snapshot_until_they_are_looked_for() -> None:
    client = leader()
    node = document(client.ask("GET", "/api/node", accept="*/*"))["data"]
    assert (node["attributes"]["state"], node["attributes"]["baState"]) == ("disabled", "disabled")
    assert "updated" not in node["attributes"]
    client.node.perform(lambda now: client.node.engine.network.attach_child(CHILD, now))
    task = {"maxAge": 1.5, "maxRetries": 1, "deviceCount": 1, "timeout": 15}
    data = {"data": [{"type": "updateDeviceCollectionTask", "attributes": task}]}
    client.ask("POST", "/api/actions", json.dumps(data), content_type=JSON_API)
    client.node.advance(SECOND)
    node, child = document(client.ask("GET", "/api/devices", accept="*/*"))["data"]
    assert (node["type"], child["type"]) == ("threadBorderRouter", "threadDevice")
    assert (node["attributes"]["state"], node["attributes"]["baState"]) == ("leader", "active")
    assert node["attributes"]["updated"] > node["attributes"]["created"]
    assert child["id"] == "0a0b0c0d0e0f1011"
    assert child["attributes"]["role"] == "child"
    (action,) = document(client.ask("GET", "/api/actions", accept="*/*"))["data"]
    assert action["attributes"]["maxAge"] == 1.5


def test_deleting_a_device_says_404_when_it_worked() -> None:
    client = leader()
    assert client.ask("DELETE", f"/api/devices/{own_id(client)}").status == 404
    assert client.ask("GET", f"/api/devices/{own_id(client)}", accept="*/*").status == 404
    assert client.ask("DELETE", f"/api/devices/{own_id(client)}").status == 204
    assert client.ask("DELETE", "/api/devices/xyz").status == 404


def test_ids_compare_as_written() -> None:
    client = leader()
    assert client.ask("GET", f"/api/devices/{own_id(client).upper()}", accept="*/*").status == 404


@pytest.mark.parametrize(
    ("fields", "members"),
    [
        ("threadBorderRouter]=role,hostname", {"role", "hostname", "created"}),
        ("threadBorderRouter]=role hostname", {"role", "hostname", "created"}),
        ("threadBorderRouter]=mode.rxOnWhenIdle", {"mode", "created"}),
        ("threadBorderRouter]=nope", {"created"}),
    ],
)
def test_sparse_fields_keep_what_is_named_and_created(fields: str, members: set[str]) -> None:
    client = leader()
    (item,) = document(client.ask("GET", f"/api/devices?fields[{fields}", accept="*/*"))["data"]
    assert set(item["attributes"]) == members
    assert item["attributes"].get("mode") in (None, {"rxOnWhenIdle": True})
    one = document(client.ask("GET", f"/api/devices/{own_id(client)}?fields[{fields}", accept="*/*"))["data"]
    assert one == item
    bare = document(client.ask("GET", f"/api/node?fields[{fields}", accept="application/json"), "application/json")
    assert set(bare) == members - {"created"}


def test_naming_only_absent_types_empties_data_but_leaves_meta() -> None:
    client = leader()
    answer = document(client.ask("GET", "/api/devices?fields[nope]=role", accept="*/*"))
    assert answer == {"data": [], "meta": {"collection": {"offset": 0, "limit": 200, "total": 1}}}
    assert client.ask("GET", "/api/node?fields[nope]=role", accept="*/*").status == 404


def test_201_tasks_are_accepted_and_the_oldest_is_evicted() -> None:
    client = leader()
    answer = client.ask("POST", "/api/actions", json.dumps({"data": [RESET] * 201}), content_type=JSON_API)
    posted = document(answer)
    assert len(posted["data"]) == 201
    assert posted["meta"]["collection"] == {"offset": 0, "limit": 200, "total": 201}
    kept = document(client.ask("GET", "/api/actions", accept="*/*"))
    assert kept["meta"]["collection"] == {"offset": 0, "limit": 200, "total": 200, "pending": 0}
    assert [item["id"] for item in kept["data"]] == [item["id"] for item in posted["data"][1:]]


def test_one_bad_task_refuses_all() -> None:
    client = leader()
    body = json.dumps({"data": [RESET, {"type": "nope", "attributes": {}}]})
    assert client.ask("POST", "/api/actions", body, content_type=JSON_API).status == 422
    assert document(client.ask("GET", "/api/actions", accept="application/json"), "application/json") == []


def test_discovery_names_the_version_and_the_entry_points() -> None:
    found = document(Client(SteppedNode()).ask("GET", "/.well-known/thread/br-rest"), "application/json")
    assert found["api"] == {"version": "0.5.0", "base": "/api/"}
    assert [link["rel"] for link in found["links"]] == ["self", "node", "task", "device", "diagnostic"]


def test_a_collection_holds_200_and_replacing_evicts_nothing() -> None:
    collection: Collection[StoredItem] = Collection()
    for number in range(LIMIT):
        assert collection.put(StoredItem(id=str(number), type="t", attributes={}, created=0, updated=0)) is None
    assert collection.put(StoredItem(id="5", type="t", attributes={"new": 1}, created=0, updated=0)) is None
    evicted = collection.put(StoredItem(id="200", type="t", attributes={}, created=0, updated=0))
    assert evicted is not None
    assert (evicted.id, len(collection)) == ("0", LIMIT)
    assert [item.id for item in collection.clear()][-1] == "200"


def test_sparse_fields_of_lists_keep_parts_of_each_element() -> None:
    entries: list[Json] = [{"channel": 11, "maxRssi": [-1]}, {"channel": 12, "maxRssi": [-2]}]
    report: dict[str, Json] = {"report": entries, "origin": "x"}
    fields = asked_fields((("fields[energyScanReport]", "report.channel"),), frozenset({"energyScanReport"}))
    assert fields is not None
    assert sparse(report, fields["energyScanReport"]) == {"report": [{"channel": 11}, {"channel": 12}]}

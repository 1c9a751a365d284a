"""Faults and lies over HTTP."""

import httpx
import pytest

from devices.home import LiveHome

pytestmark = pytest.mark.asyncio


async def test_fault_is_in_force_until_it_is_ended(api: httpx.AsyncClient, live: LiveHome) -> None:
    started = await api.post("/v1/faults", json={"kind": "delay", "delay": "5ms", "id": "slow", "optional": True})
    assert started.status_code == 201
    assert started.headers["location"] == "/v1/faults/slow"
    assert started.json()["parameters"] == {"delay": "5ms"}
    assert started.json()["active"] is True
    ended = (await api.delete("/v1/faults/slow")).json()
    assert (ended["over"], ended["active"]) == (True, False)
    assert (await api.get("/v1/faults")).json() == []


async def test_list_counts_how_often_a_fault_fired(api: httpx.AsyncClient, live: LiveHome) -> None:
    await api.post("/v1/faults", json={"kind": "duplicate", "target": "phone", "id": "twice"})
    await api.post("/v1/time/advance", json={"duration": "3s"})  # the border router probes and announces itself
    listed = (await api.get("/v1/faults")).json()
    fired = [event for event in live.log.since() if event.type == "FaultFired"]
    assert fired
    assert [(each["id"], each["fired"]) for each in listed] == [("twice", len(fired))]


async def test_lie_is_told_by_its_accessory_and_taken_back(api: httpx.AsyncClient) -> None:
    started = await api.post("/v1/faults", json={"kind": "wrong-xa", "target": "br"})
    assert (await api.get("/v1/accessories/br")).json()["lies"] == ["wrong-xa"]
    await api.delete(started.headers["location"])
    assert (await api.get("/v1/accessories/br")).json()["lies"] == []


async def test_kinds_name_every_fault_and_lie_with_its_parameters(api: httpx.AsyncClient) -> None:
    kinds = {each["kind"]: each for each in (await api.get("/v1/faults/kinds")).json()}
    assert kinds["delay"] == {
        "kind": "delay",
        "form": "fault",
        "description": "The frame arrives `delay` later, plus a random part of up to `jitter`.",
        "parameters": [
            {"name": "delay", "type": "str", "required": False, "default": "200ms"},
            {"name": "jitter", "type": "str", "required": False, "default": "0s"},
        ],
    }
    assert kinds["no-txt-in-answers"]["form"] == "lie"
    assert kinds["no-txt-in-answers"]["accessories"] == ["thread-border-router"]
    assert all(each["description"] for each in kinds.values())


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"kind": "delay", "delay": 5}, 400, "usage"),
        ({"kind": "delay", "dely": "5s"}, 400, "usage"),
        ({"kind": "delya"}, 422, "unknown-kind"),
        ({"kind": "delay", "target": "bx"}, 404, "unknown-actor"),
        ({"kind": "wrong-xa", "target": "br", "xa": "00"}, 400, "usage"),
        ({"kind": "delay", "probability": 2}, 422, "invalid-value"),
        ({"kind": "delay", "start": "soon"}, 422, "invalid-value"),
    ],
)
async def test_fault_that_cannot_be_is_a_problem_and_leaves_nothing(
    api: httpx.AsyncClient, body: dict[str, object], status: int, slug: str
) -> None:
    answer = await api.post("/v1/faults", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:pairlab:problem:{slug}")
    assert (await api.get("/v1/faults")).json() == []


async def test_id_of_a_fault_is_given_once(api: httpx.AsyncClient) -> None:
    body = {"kind": "drop", "target": "phone", "id": "deaf"}
    assert (await api.post("/v1/faults", json=body)).status_code == 201
    assert (await api.post("/v1/faults", json=body)).status_code == 409


async def test_ending_an_unknown_fault_is_404(api: httpx.AsyncClient) -> None:
    assert (await api.delete("/v1/faults/none")).status_code == 404


async def test_faults_for_an_accessory_go_with_it(api: httpx.AsyncClient) -> None:
    await api.post("/v1/faults", json={"kind": "wrong-xa", "target": "br", "start": "1m"})
    await api.delete("/v1/accessories/br")
    assert (await api.get("/v1/faults")).json() == []
    assert (await api.post("/v1/time/advance", json={"duration": "2m"})).status_code == 200


async def test_a_browser_reports_65570_while_its_app_is_kept_from_the_local_network(api: httpx.AsyncClient) -> None:
    where = "/v1/phones/phone/bonjour/browse"
    body = {"service_type": "_meshcop._udp", "within": "1ms"}
    started = await api.post("/v1/faults", json={"kind": "local-network-denied", "target": "phone"})
    denied = (await api.post(where, json=body)).json()
    assert (denied["outcome"], denied["platform"]["code"]) == ("refused", -65570)
    await api.delete(started.headers["location"])
    assert (await api.post(where, json=body)).json()["outcome"] == "done"


async def test_a_denial_of_nobody_is_refused_and_says_of_whom_it_can_be(api: httpx.AsyncClient) -> None:
    for fault, said in (
        ({"target": "client"}, "pairlab exec --local-network granted"),
        ({"target": "br"}, "not 'br'"),
        ({}, "not '*'"),
        ({"target": "phone", "reject": "no"}, "reject"),
        ({"target": "phone", "grant": "5s"}, "no parameter 'grant'"),
    ):
        answer = await api.post("/v1/faults", json={"kind": "local-network-denied", **fault})
        assert 400 <= answer.status_code < 500
        assert said in answer.text
    assert (await api.get("/v1/faults")).json() == []

"""Accessories over HTTP: list, add, get, remove, tell."""

import asyncio

import httpx
import pytest

from devices.home import LiveHome

pytestmark = pytest.mark.asyncio


async def test_list_has_what_the_table_shows_and_no_code(api: httpx.AsyncClient, live: LiveHome) -> None:
    await live.do("br", "share-code")
    listed = (await api.get("/v1/accessories")).json()
    assert [entry["id"] for entry in listed] == ["br"]
    assert listed[0]["name"] == "Living Room"
    assert listed[0]["kind"] == "thread-border-router"
    assert listed[0]["endpoints"] == dict(live.accessory("br").endpoints)
    assert listed[0]["shows"] == {}


async def test_secrets_are_shown_when_asked_for(api: httpx.AsyncClient, live: LiveHome) -> None:
    await live.do("br", "share-code")
    listed = (await api.get("/v1/accessories", params={"secrets": "true"})).json()
    assert listed[0]["shows"] == {"code": live.accessory("br").shows["code"]}


async def test_get_tells_facts_and_verbs(api: httpx.AsyncClient, live: LiveHome) -> None:
    detail = (await api.get("/v1/accessories/br")).json()
    assert detail["facts"]["ext_address"] == live.accessory("br").facts["ext_address"]
    assert detail["verbs"]["enable"] == "Switch Thread on."
    assert detail["lies"] == []


async def test_unknown_accessory_is_404_with_the_nearest_name(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/accessories/bra")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "no accessory 'bra' in this home; did you mean 'br'?"


async def test_added_accessory_lives_and_can_be_removed(api: httpx.AsyncClient, live: LiveHome) -> None:
    table = {"kind": "thread-border-router", "name": "Attic", "enabled": False}
    added = await api.post("/v1/accessories", json=table)
    assert added.status_code == 201
    assert added.headers["location"] == "/v1/accessories/attic"
    assert live.accessory("attic").powered
    removed = await api.delete("/v1/accessories/attic")
    assert removed.status_code == 204
    assert (await api.get("/v1/accessories/attic")).status_code == 404


async def test_id_is_given_once_even_when_two_ask_at_the_same_time(api: httpx.AsyncClient) -> None:
    table = {"kind": "thread-border-router", "id": "twin", "enabled": False}
    answers = await asyncio.gather(*(api.post("/v1/accessories", json=table) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert (await api.post("/v1/accessories", json={**table, "id": "phone"})).json()["type"].endswith(":id-taken")


@pytest.mark.parametrize(
    ("table", "status", "detail"),
    [
        ({}, 422, "kind: Field required"),
        ({"kind": "thread-bordr-router"}, 422, "did you mean 'thread-border-router'?"),
        ({"kind": "thread-border-router", "rest_prt": 1}, 422, "did you mean 'rest_port'?"),
        ({"kind": "thread-border-router", "dataset": "0e"}, 422, "dataset"),
        ({"kind": "thread-border-router", "id": "No Id"}, 422, "id: "),
    ],
)
async def test_table_that_says_no_accessory_is_refused_with_its_mend(
    api: httpx.AsyncClient, live: LiveHome, table: dict[str, object], status: int, detail: str
) -> None:
    answer = await api.post("/v1/accessories", json=table)
    assert (answer.status_code, detail in answer.json()["detail"]) == (status, True)
    assert list(live.accessories) == ["br"]


async def test_accessory_that_cannot_start_is_not_left_in_the_home(api: httpx.AsyncClient, live: LiveHome) -> None:
    taken = int(live.accessory("br").endpoints["meshcop"].rpartition(":")[2])
    object.__setattr__(live.site, "free_ports", False)  # the ports of the table count, as in `pairlab up`
    answer = await api.post("/v1/accessories", json={"kind": "thread-border-router", "id": "b2", "trel_port": taken})
    assert answer.status_code == 503
    assert str(taken) in answer.json()["detail"]
    assert list(live.accessories) == ["br"]


async def test_action_is_carried_out_and_its_secret_left_out(api: httpx.AsyncClient, live: LiveHome) -> None:
    answer = await api.post("/v1/accessories/br/actions/share-code", json={"lifetime": "1m"})
    assert answer.json()["outcome"] == "done"
    assert "code" not in answer.json()["value"]
    assert live.accessory("br").shows["code"] not in answer.text


async def test_action_gives_its_secret_when_asked(api: httpx.AsyncClient, live: LiveHome) -> None:
    answer = await api.post("/v1/accessories/br/actions/share-code?secrets=true")
    assert answer.json()["value"]["code"] == live.accessory("br").shows["code"]


@pytest.mark.parametrize(
    ("path", "body", "status", "slug"),
    [
        ("br/actions/shine", {}, 404, "unknown-verb"),
        ("bx/actions/enable", {}, 404, "unknown-actor"),
        ("br/actions/enable", {"hard": True}, 400, "usage"),
        ("br/actions/share-code", {"lifetime": "soon"}, 400, "usage"),
        ("br/actions/enable", [1], 422, "invalid-value"),
    ],
)
async def test_action_that_cannot_be_is_a_problem(
    api: httpx.AsyncClient, path: str, body: object, status: int, slug: str
) -> None:
    answer = await api.post(f"/v1/accessories/{path}", json=body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:pairlab:problem:{slug}")


async def test_action_that_the_state_does_not_allow_is_409(api: httpx.AsyncClient) -> None:
    assert (await api.post("/v1/accessories/br/actions/share-code")).status_code == 200
    again = await api.post("/v1/accessories/br/actions/share-code")
    assert (again.status_code, again.json()["type"]) == (409, "urn:pairlab:problem:action-refused")

"""Commissioners over HTTP: added, told verbs, removed; refusals as results, keys only when asked for."""

import httpx
import pytest

from tests.support.meshcop import PSKC
from tests.support.thread_network import DATASET
from tests.support.udp_border_agent import border_agent

pytestmark = pytest.mark.asyncio

HOME = {"name": "Control test", "commissioner": [{"patience": "500ms"}]}
ONE = "/v1/commissioners/commissioner"


async def test_one_reads_a_dataset_whose_keys_leave_only_when_asked_for(api: httpx.AsyncClient) -> None:
    async with border_agent() as (_, address):
        access = {"address": address, "pskc": PSKC.hex()}
        got = (await api.post(f"{ONE}/actions/get", json=access)).json()
        assert (got["value"]["outcome"], got["value"]["value"]["network_name"]) == ("done", DATASET.network_name)
        assert "dataset" not in got["value"]["value"]
        got = (await api.post(f"{ONE}/actions/get?secrets=true", json={})).json()
        assert got["value"]["value"]["dataset"] == DATASET.hex()
        assert (await api.get(ONE)).json()["state"] == "connected"
        petitioned = (await api.post(f"{ONE}/actions/petition", json={})).json()
        assert petitioned["value"]["outcome"] == "done"
        facts = (await api.get(ONE)).json()["facts"]
        assert facts["session_id"] == petitioned["value"]["value"]["session_id"]
        assert facts["border_agent"] == address
        await api.post(f"{ONE}/actions/resign", json={})


async def test_a_refusal_is_a_result(api: httpx.AsyncClient) -> None:
    async with border_agent() as (_, address):
        wrong = await api.post(f"{ONE}/actions/petition", json={"address": address, "pskc": "0f" * 16})
        assert (wrong.status_code, wrong.json()["value"]["verdict"]["rule"]) == (200, "wrong-pskc")
    misuse = await api.post(f"{ONE}/actions/petition", json={"address": "here"})
    assert (misuse.status_code, "HOST:PORT" in misuse.json()["detail"]) == (400, True)
    idle = await api.post(f"{ONE}/actions/resign", json={})
    assert (idle.status_code, "petition" in idle.json()["detail"]) == (409, True)


async def test_one_is_added_and_removed_while_the_home_runs(api: httpx.AsyncClient) -> None:
    added = await api.post("/v1/commissioners", json={"name": "Second", "lies": ["no-keep-alive"]})
    assert (added.status_code, added.headers["location"]) == (201, "/v1/commissioners/second")
    assert (await api.post("/v1/commissioners", json={"id": "second"})).status_code == 409
    assert [each["id"] for each in (await api.get("/v1/commissioners")).json()] == ["commissioner", "second"]
    assert (await api.get("/v1/ready")).json()["commissioners"] == ["commissioner", "second"]
    assert (await api.delete("/v1/commissioners/second")).status_code == 204
    assert (await api.get("/v1/commissioners/second")).status_code == 404
    assert (await api.post("/v1/commissioners", json={"keep_alive": "soon"})).status_code == 422

"""The air's clock over HTTP."""

import httpx
import pytest

from devices.home import LiveHome

pytestmark = pytest.mark.asyncio


async def test_a_foreign_stack_is_told_the_time_the_cluster_and_the_door(
    api: httpx.AsyncClient, live: LiveHome
) -> None:
    before = live.air.tsf()
    told = (await api.get("/v1/air/tsf")).json()
    assert before <= told["tsf_us"] <= live.air.tsf()
    assert bytes.fromhex(told["cluster_id"].replace(":", "")) == live.site.cluster_id
    assert (told["discovery_windows"], told["udp"], told["header"]) == ("off", None, "none")

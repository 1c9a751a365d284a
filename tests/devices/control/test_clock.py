"""The home's clock over HTTP."""

import httpx
import pytest

from devices.home import LiveHome

pytestmark = pytest.mark.asyncio


async def test_advance_makes_due_what_is_due_by_then(api: httpx.AsyncClient, live: LiveHome) -> None:
    fired: list[int] = []
    before = (await api.get("/v1/time")).json()
    for minutes in (9, 10, 12):
        live.clock.call_at(minutes * 60_000_000, lambda minutes=minutes: fired.append(minutes))
    after = (await api.post("/v1/time/advance", json={"duration": "11m"})).json()
    assert fired == [9, 10]
    assert after["now_us"] - before["now_us"] >= 11 * 60_000_000
    assert (before["virtual"], after["virtual"]) == (False, False)


async def test_advance_over_the_life_of_a_code_lets_it_expire(api: httpx.AsyncClient, live: LiveHome) -> None:
    await live.do("br", "share-code", {"lifetime": "2m"})
    await api.post("/v1/time/advance", json={"duration": "2m"})
    answer = await api.post("/v1/events/wait", json={"type": "EphemeralKeyExpired", "timeout": 0})
    assert answer.json()["matched"]


@pytest.mark.parametrize("duration", ["", "soon", "-1s", "500000h", "9" * 500 + "s", 5, None])
async def test_duration_that_is_none_is_refused(api: httpx.AsyncClient, duration: object) -> None:
    answer = await api.post("/v1/time/advance", json={"duration": duration})
    assert (answer.status_code, answer.json()["detail"].startswith("duration: ")) == (422, True)

"""Whatever a body holds, the answer is never a 5xx and the home lives on."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from devices.control.app import build_app
from devices.home import HomeOptions, LiveHome
from devices.spec import read_home

pytestmark = pytest.mark.asyncio

EXAMPLES: dict[str, dict[str, Any]] = {
    "/v1/accessories": {
        "kind": "thread-border-router",
        "id": "x",
        "name": "X",
        "lies": ["wrong-xa", {"kind": "late-start", "delay": "1s"}],
        "enabled": False,
        "dataset": {"network_name": "N", "channel": 15},
        "rest_port": 0,
        "meshcop_port": 0,
        "vendor": "V",
        "subtypes": ["_home"],
        "ext_address": "0011223344556677",
    },
    "/v1/accessories/br/actions/set-dataset": {"dataset": "0e08000000000001000", "kind": "pending", "force": True},
    "/v1/accessories/br/actions/share-code": {"lifetime": "1m"},
    "/v1/accessories/br/actions/restart": {"goodbye": True},
    "/v1/phones/phone/actions/browse": {"service_type": "_hap._tcp", "within": "0s"},
    "/v1/phones/phone/actions/accept": {"request": 1},
    "/v1/phones/phone/thread/storeCredentials": {"border_agent_id": "0011223344556677", "dataset": "0e08"},
    "/v1/phones/phone/thread/retrieveCredentials": {"border_agent_id": "0011223344556677"},
    "/v1/commissioners": {
        "id": "c",
        "name": "C",
        "target": "br",
        "pskc": "0f",
        "keep_alive": "40s",
        "joiner_udp_port": 1000,
        "lies": ["no-keep-alive"],
    },
    "/v1/commissioners/installer/actions/petition": {"target": "br", "pskc": "0f", "ext_pan_id": "00"},
    "/v1/commissioners/installer/actions/get": {"kind": "active", "target": "br", "code": "123456"},
    "/v1/commissioners/installer/actions/set": {"kind": "active", "fields": {"channel": 15}},
    "/v1/commissioners/installer/actions/enable-joiner": {"joiner": "any", "pskd": "J01NME", "lifetime": "1m"},
    "/v1/events/wait": {"type": "RoleChanged", "where": {"role": "leader"}, "actor": "br", "after": 0, "timeout": 0},
    "/v1/faults": {
        "kind": "delay",
        "id": "f",
        "target": "br",
        "delay": "1ms",
        "probability": 0.5,
        "direction": "in",
        "medium": "lan",
        "start": "1s",
        "duration": "1s",
        "after": {"event": "RoleChanged", "nth": 1},
        "optional": True,
    },
    "/v1/time/advance": {"duration": "1s"},
}
WORDS = [
    *"a0_-.*/ \x00\n\u00e9\u2028\U0001f600",
    "\ud800",
    "br",
    "phone",
    "none",
    "-1s",
    "1h",
    "(",
    "a" * 300,
    "0" * 64,
]


def value(chance: random.Random, depth: int = 0) -> Any:
    """Any JSON value, with a taste for what breaks parsers."""
    kind = chance.randrange(9 if depth < 3 else 6)
    match kind:
        case 0:
            return chance.choice([None, True, False])
        case 1:
            return chance.choice([0, -1, 2**31, 2**63, 2**64, 10**40, chance.randrange(-300, 300)])
        case 2:
            return chance.choice([0.5, -0.0, 1e308, float("inf"), float("nan")])
        case 3 | 4 | 5:
            return "".join(chance.choice(WORDS) for _ in range(chance.randrange(4)))
        case 6:
            return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
        case _:
            return {str(value(chance, 3)): value(chance, depth + 1) for _ in range(chance.randrange(4))}


def body(chance: random.Random, example: dict[str, Any]) -> bytes:
    """Random bytes, a random value, or the example with a few members replaced, added, or left out."""
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(chance.randrange(200))
    if kind == 1:
        return json.dumps(value(chance)).encode()
    if kind == 2:
        raw = bytearray(json.dumps(example).encode())
        for _ in range(chance.randrange(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        return bytes(raw)
    table = dict(example)
    for _ in range(chance.randrange(3)):
        table.pop(chance.choice(list(example)), None)
    for _ in range(chance.randrange(1, 3)):
        name = chance.choice([*example, str(value(chance, 3))])
        table[name] = value(chance)
    return json.dumps(table).encode()


async def hurry(live: LiveHome) -> None:
    """A random body may ask for a long wait; here time flies."""
    while True:
        live.clock.advance(600_000_000)
        await asyncio.sleep(0.001)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[tuple[httpx.AsyncClient, LiveHome]]:
    tables = {
        "accessory": [{"id": "br", "kind": "thread-border-router"}],
        "phone": [{"id": "phone", "search_budget": "0s"}],
        "commissioner": [{"id": "installer", "patience": "1s"}],
    }
    live = LiveHome(read_home(tables), HomeOptions(seed=7, free_ports=True, attach="1ms"))
    await live.start()
    transport = httpx.ASGITransport(build_app(live))
    hurrying = asyncio.create_task(hurry(live))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as api:
        yield api, live
    hurrying.cancel()
    await live.stop()


async def throw(api: httpx.AsyncClient, live: LiveHome, route: str, count: int) -> None:
    chance = random.Random(f"{route} 1")
    for number in range(count):
        content = body(chance, EXAMPLES[route])
        answer = await api.post(route, content=content)
        assert 200 <= answer.status_code < 500, (number, content, answer.text)
        if answer.status_code == 201:
            removed = await api.delete(answer.headers["location"])
            assert removed.status_code in (200, 204), (number, content, removed.text)
    assert (await api.get("/v1/ready")).status_code == 200
    assert (await api.post("/v1/accessories/br/actions/restart")).status_code == 200
    assert live.accessory("br").powered


@pytest.mark.parametrize("route", EXAMPLES)
async def test_random_bodies_are_answered_and_the_home_lives_on(
    client: tuple[httpx.AsyncClient, LiveHome], route: str
) -> None:
    await throw(*client, route, 150)


@pytest.mark.slow
@pytest.mark.parametrize("route", EXAMPLES)
async def test_ten_thousand_random_bodies(client: tuple[httpx.AsyncClient, LiveHome], route: str) -> None:
    await throw(*client, route, 10_000)

"""Whatever a body of a phone's Wi-Fi Aware holds, the answer is never a 5xx and the phones live on."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from devices.control.app import build_app
from devices.home import HomeOptions, LiveHome
from devices.spec import read_home
from tests.devices.control.test_random_bodies import body

pytestmark = pytest.mark.asyncio

SERVICE = "_pairlab._udp"
CONFIG = {
    "service_name": SERVICE,
    "service_specific_info": "00",
    "match_filter": ["01"],
    "ttl_sec": 1,
    "pairing_config": {"pairing_setup_enabled": True, "bootstrapping_methods": 2},
}
PEER = {"session": 1, "peer_handle": 1}
EXAMPLES: dict[str, dict[str, Any]] = {
    "iphone/actions/browse": {"service": SERVICE, "within": "0s"},
    "iphone/actions/pick": {"target": "camera", "service": SERVICE, "name": "", "model": "", "within": "0s"},
    "iphone/actions/pair": {"target": "camera", "code": "123456", "method": "pin", "service": SERVICE, "wait": True},
    "iphone/actions/verify": {"target": "camera", "within": "0s", "wait": True},
    "iphone/actions/open": {"target": "camera", "security": "paired", "passphrase": "eight letters", "pmk": "00"},
    "iphone/actions/devices": {"action": "rename", "device": "camera", "name": "x"},
    "iphone/wifi-aware/picker": {"service": SERVICE, "target": "camera", "code": "1", "within": "0s", "wait": False},
    "iphone/wifi-aware/pairing-view": {"service": SERVICE, "produce": "error"},
    "iphone/wifi-aware/listeners": {"service": SERVICE, "devices": ["1"], "active": "1s"},
    "iphone/wifi-aware/connections": {"to": "camera", "service": SERVICE, "security": "paired", "within": "0s"},
    "pixel/wifi-aware/publish": {"config": {**CONFIG, "publish_type": 0}},
    "pixel/wifi-aware/subscribe": {"config": {**CONFIG, "subscribe_type": 1}, "produce": 4},
    "pixel/wifi-aware/sendMessage": {**PEER, "message_id": 1, "message": "00"},
    "pixel/wifi-aware/initiateBootstrappingRequest": {**PEER, "method": 2},
    "pixel/wifi-aware/initiatePairingRequest": {**PEER, "alias": "a", "cipher_suite": 16, "password": "1"},
    "pixel/wifi-aware/acceptPairingRequest": {**PEER, "request_id": 1, "alias": "a", "password": "1"},
    "pixel/wifi-aware/requestNetwork": {
        **PEER,
        "specifier": {
            "psk_passphrase": "eight letters",
            "pmk": "00" * 32,
            "port": 80,
            "data_path_security_config": {"cipher_suite": 1, "pmk": "00" * 32, "pmkid": "00" * 16},
        },
    },
}


async def _hurry(live: LiveHome) -> None:
    """A random body may ask for a long wait; here time flies, slowly enough that the air keeps up."""
    while True:
        live.clock.advance(20_000_000)
        await asyncio.sleep(0.001)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[tuple[httpx.AsyncClient, LiveHome]]:
    tables = {
        "accessory": [{"id": "camera", "kind": "wifi-aware-publisher", "service": SERVICE, "publish": "solicited"}],
        "phone": [{"id": "iphone", "search_budget": "0s"}, {"id": "pixel", "profile": "android-17"}],
    }
    live = LiveHome(read_home(tables), HomeOptions(seed=7, free_ports=True))
    await live.start()
    transport = httpx.ASGITransport(build_app(live))
    hurrying = asyncio.create_task(_hurry(live))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as api:
        yield api, live
    hurrying.cancel()
    await live.stop()


async def _throw(api: httpx.AsyncClient, live: LiveHome, route: str, count: int) -> None:
    chance = random.Random(f"{route} 1")
    if route.startswith("pixel"):
        for kind in ("publish", "subscribe"):
            assert (await api.post(f"/v1/phones/pixel/wifi-aware/{kind}", json={"config": CONFIG})).status_code == 200
    for number in range(count):
        content = body(chance, EXAMPLES[route])
        answer = await asyncio.wait_for(api.post(f"/v1/phones/{route}", content=content), 30)
        assert 200 <= answer.status_code < 500, (number, content, answer.text)
    for phone in live.phones:
        assert (await api.post(f"/v1/phones/{phone}/actions/restart")).status_code == 200
        assert live.phone(phone).state == "on"


@pytest.mark.parametrize("route", EXAMPLES)
async def test_random_bodies_are_answered_and_the_phones_live_on(
    client: tuple[httpx.AsyncClient, LiveHome], route: str
) -> None:
    await _throw(*client, route, 25)


@pytest.mark.slow
@pytest.mark.parametrize("route", EXAMPLES)
async def test_thousands_of_random_bodies(client: tuple[httpx.AsyncClient, LiveHome], route: str) -> None:
    await _throw(*client, route, 3_000)

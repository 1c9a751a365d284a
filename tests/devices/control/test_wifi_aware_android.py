"""A phone's Wi-Fi Aware over HTTP in Android's shape: methods by their own names, and the callbacks they end in."""

from typing import Any

import httpx
import pytest

from devices.home import LiveHome
from pairing.nan.platform_failures import NanStatus

pytestmark = pytest.mark.asyncio

SERVICE = "_sat-simulation._udp"
HOME = {
    "name": "Camera and an Android phone",
    "accessory": [{"id": "camera", "kind": "wifi-aware-publisher", "name": "Garage Camera", "service": SERVICE}],
    "phone": [{"id": "phone", "profile": "android-17"}],
}
AT = "/v1/phones/phone/wifi-aware"
PAIRING = {"pairing_setup_enabled": True, "pairing_cache_enabled": True, "bootstrapping_methods": 0x20}
PIN_DISPLAY = 2


async def _call(api: httpx.AsyncClient, called: str, **arguments: Any) -> Any:
    document = (await api.post(f"{AT}/{called}", json=arguments, timeout=30)).json()
    assert document.get("outcome") == "done", document
    return document["value"]


async def _callback(api: httpx.AsyncClient, name: str) -> dict[str, Any]:
    found = (await api.get(f"{AT}/callbacks", params={"callback": name, "within": "20s"}, timeout=30)).json()
    assert found, f"no {name}"
    arguments: dict[str, Any] = found[-1]["arguments"]
    return arguments


async def test_an_app_pairs_and_connects_by_the_platforms_own_methods(api: httpx.AsyncClient, live: LiveHome) -> None:
    await _call(api, "attach")
    config = {"service_name": SERVICE, "subscribe_type": 1, "pairing_config": PAIRING}
    session = await _call(api, "subscribe", config=config)
    found = await _callback(api, "onServiceDiscovered")
    assert (found["paired_alias"], found["pairing_config"]["bootstrapping_methods"]) == (None, PIN_DISPLAY)
    peer = {"session": session, "peer_handle": found["peer_handle"]}
    await _call(api, "initiateBootstrappingRequest", **peer, method=PIN_DISPLAY)
    assert (await _callback(api, "onBootstrappingSucceeded"))["peer_handle"] == found["peer_handle"]
    code = live.accessory("camera").shows["code"]
    await _call(api, "initiatePairingRequest", **peer, alias="garage", cipher_suite=16, password=code)
    assert await _callback(api, "onPairingSetupSucceeded") == {"peer_handle": found["peer_handle"], "alias": "garage"}
    assert await _call(api, "getPairedDevices") == ["garage"]
    network = await _call(api, "requestNetwork", **peer)
    info = await _callback(api, "onCapabilitiesChanged")
    assert (info["network"], info["peer_ipv6_addr"][:4]) == (network, "fe80")
    assert info["endpoints"]["tcp"].startswith("127.0.0.1:")
    await _call(api, "unregisterNetworkCallback", network=network)
    await api.post("/v1/events/wait", json={"type": "DataPathClosed", "actor": "camera", "timeout": 10})
    log = (await api.get(f"{AT}/callbacks")).text
    assert code not in log


@pytest.mark.parametrize(
    ("method", "callback"),
    [
        ("publish", "onSessionConfigFailed"),
        ("sendMessage", "onMessageSendFailed"),
        ("initiateBootstrappingRequest", "onBootstrappingFailed"),
        ("initiatePairingRequest", "onPairingSetupFailed"),
        ("requestNetwork", "onUnavailable"),
    ],
)
async def test_every_status_can_be_produced_and_comes_in_its_callback(
    api: httpx.AsyncClient, method: str, callback: str
) -> None:
    codes = [each for each in NanStatus if each is not NanStatus.SUCCESS]
    for status in codes:
        produce: object = status.name if status.value % 2 else status.value
        document = (await api.post(f"{AT}/{method}", json={"produce": produce})).json()
        assert document["platform"].pop("delay_ms") < 1000
        assert document["platform"] == {
            "domain": "NanStatusCode",
            "code": status.value,
            "case": status.name,
            "callback": callback,
        }
    told = (await api.get(f"{AT}/callbacks", params={"callback": callback})).json()
    assert [each["arguments"]["reason"] for each in told] == [each.value for each in codes]


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("publsh", {}, 404),
        ("publish", {}, 400),
        ("publish", {"config": 5}, 400),
        ("publish", {"config": {"service_name": SERVICE, "colour": "red"}}, 400),
        ("publish", {"config": {"service_name": SERVICE, "service_specific_info": "xyz"}}, 400),
        ("subscribe", {"config": {"service_name": SERVICE}, "produce": "BOREDOM"}, 400),
        ("sendMessage", {"session": 1, "peer_handle": 1, "message_id": 1, "message": "00"}, 409),
        ("attach", {"now": True}, 400),
        ("close", {"session": 7}, 409),
        ("unregisterNetworkCallback", {"network": 1}, 409),
    ],
)
async def test_misuse_is_a_problem(api: httpx.AsyncClient, method: str, body: object, status: int) -> None:
    answer = await api.post(f"{AT}/{method}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


@pytest.mark.parametrize(
    ("method", "config", "rule", "exception"),
    [
        ("publish", {"service_name": "no space"}, "name-characters", "IllegalArgumentException"),
        ("publish", {"service_name": SERVICE, "ttl_sec": -1}, "ttl", "IllegalArgumentException"),
        ("publish", {"service_name": SERVICE, "publish_type": 7}, "publish-type", "IllegalArgumentException"),
        ("subscribe", {"service_name": SERVICE, "subscribe_type": 7}, "subscribe-type", "IllegalArgumentException"),
        (
            "subscribe",
            {"service_name": SERVICE, "pairing_config": {"bootstrapping_methods": 0x4000}},
            "bootstrapping-method",
            "IllegalArgumentException",
        ),
        ("subscribe", {"service_name": SERVICE, "match_filter": ["00" * 200, "00" * 200]}, "match-filter", None),
    ],
)
async def test_a_wrong_config_throws_as_its_builder_does(
    api: httpx.AsyncClient, method: str, config: dict[str, Any], rule: str, exception: str | None
) -> None:
    document = (await api.post(f"{AT}/{method}", json={"config": config})).json()
    assert (document["outcome"], document["verdict"]["rule"]) == ("refused", rule)
    assert document["platform"]["domain"] == "exception"
    assert document["platform"]["case"] == (exception or "IllegalArgumentException")
    assert (await api.get(f"{AT}/callbacks")).json() == []  # what throws calls nobody back

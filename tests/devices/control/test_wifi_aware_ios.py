"""A phone's Wi-Fi Aware over HTTP in Apple's shape: views, paired devices, listeners, browsers, connections."""

import asyncio

import httpx
import pytest

from devices.home import LiveHome
from pairing.nan.platform_failures import WAError

pytestmark = pytest.mark.asyncio

SERVICE = "_sat-simulation._udp"
HOME = {
    "name": "Camera and two phones",
    "accessory": [
        {"id": "camera", "kind": "wifi-aware-publisher", "name": "Garage Camera", "service": SERVICE, "model": "CAM-1"}
    ],
    "phone": [
        {"id": "phone", "profile": "ios-26", "search_budget": "2s"},
        {"id": "other", "profile": "ios-26", "name": "Other Phone", "search_budget": "2s"},
        {"id": "pixel", "profile": "android-17"},
        {"id": "hub", "profile": "home-assistant"},
    ],
}
AT = "/v1/phones/phone/wifi-aware"


async def _pair(api: httpx.AsyncClient) -> str:
    """Pair with the camera through the picker; its id."""
    picked = (await api.post(f"{AT}/picker", json={"service": SERVICE, "name": "Garage Camera"})).json()
    assert picked["outcome"] == "done", picked
    return str(picked["value"]["device"]["id"])


async def test_picker_lists_what_is_open_and_pairs_with_what_is_picked(api: httpx.AsyncClient, live: LiveHome) -> None:
    listed = (await api.get(f"{AT}/picker", params={"service": SERVICE, "within": "200ms"})).json()["value"]
    assert [(each["pairing_info"]["pairing_name"], each["accessory"]) for each in listed] == [
        ("Garage Camera", "camera")
    ]
    device = await _pair(api)
    assert device.isdecimal()
    assert int(device) > 2**32
    snapshot = (await api.get(f"{AT}/paired-devices")).json()
    info = {"pairing_name": "Garage Camera", "vendor_name": "pairlab", "model_name": "CAM-1"}
    assert snapshot["devices"] == {device: {"id": device, "name": "Garage Camera", "pairing_info": info}}
    await api.post("/v1/events/wait", json={"type": "PairSetupClosed", "actor": "camera", "timeout": 10})
    await api.post("/v1/events/wait", json={"type": "PeerUpdated", "actor": "phone", "timeout": 10})
    listed = (await api.get(f"{AT}/picker", params={"service": SERVICE, "within": "200ms"})).json()["value"]
    assert listed == []  # a paired accessory has closed pair setup


async def test_snapshots_come_with_each_change(api: httpx.AsyncClient) -> None:
    first = (await api.get(f"{AT}/paired-devices")).json()
    assert first["devices"] == {}
    waiting = asyncio.create_task(
        api.get(f"{AT}/paired-devices", params={"after": first["snapshot"], "within": "20s"}, timeout=30)
    )
    device = await _pair(api)
    assert device in (await waiting).json()["devices"]
    renamed = await api.patch(f"{AT}/paired-devices/{device}", json={"name": "Garage"})
    assert renamed.json()["devices"][device]["name"] == "Garage"
    assert (await api.delete(f"{AT}/paired-devices/Garage")).status_code == 204
    last = (await api.get(f"{AT}/paired-devices", params={"after": renamed.json()["snapshot"]})).json()
    assert last["devices"] == {}
    assert (await api.delete(f"{AT}/paired-devices/{device}")).status_code == 409


async def test_a_connection_leads_to_the_accessory_until_it_is_cancelled(api: httpx.AsyncClient) -> None:
    device = await _pair(api)
    browser = (await api.post(f"{AT}/browsers", json={"service": SERVICE})).json()["value"]
    again = (await api.post(f"{AT}/browsers", json={"service": SERVICE})).json()
    assert (again["outcome"], again["platform"]["case"]) == ("refused", "serviceAlreadySubscribing")
    await api.post("/v1/events/wait", json={"type": "PairingCompleted", "actor": "camera", "timeout": 10})
    await api.post("/v1/events/wait", json={"type": "PeerUpdated", "actor": "phone", "timeout": 10})
    (endpoint,) = (await api.get(f"{AT}/browsers/{browser['id']}")).json()["endpoints"]
    assert endpoint["device"]["id"] == device
    opened = (await api.post(f"{AT}/connections", json={"to": endpoint["id"]}, timeout=30)).json()
    assert opened["outcome"] == "done", opened
    connection = opened["value"]
    assert connection["state"] == "ready"
    host, _, port = connection["endpoints"]["tcp"].partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"  # its service is an echo
    assert (await api.delete(f"{AT}/connections/{connection['id']}")).status_code == 204
    await api.post("/v1/events/wait", json={"type": "DataPathClosed", "actor": "camera", "timeout": 10})
    writer.close()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(host, int(port))


async def test_a_connection_that_the_accessory_ends_has_failed(api: httpx.AsyncClient) -> None:
    await _pair(api)
    opened = (await api.post(f"{AT}/connections", json={"to": "camera"}, timeout=30)).json()["value"]
    await api.post("/v1/accessories/camera/actions/close-data-path")
    await api.post("/v1/events/wait", json={"type": "DataPathClosed", "actor": "phone", "timeout": 10})
    (connection,) = (await api.get(f"{AT}/connections")).json()
    assert (connection["id"], connection["state"]) == (opened["id"], "failed")
    assert connection["error"]["case"] == "connectionTerminated"


@pytest.mark.parametrize(
    ("path", "body", "case", "rule"),
    [
        ("connections", {"to": "camera"}, "noPairedDevices", "paired-required"),
        ("connections", {"to": "camera", "security": "open"}, "connectionFailed", "data-path-security"),
        ("connections", {"to": "camera", "security": "passphrase"}, "connectionFailed", "data-path-security"),
        ("browsers", {"service": SERVICE}, "noPairedDevices", "paired-required"),
        ("listeners", {"service": SERVICE}, "noPairedDevices", "paired-required"),
        ("browsers", {"service": SERVICE, "devices": "user-specified"}, "error", "device-filter"),
        ("browsers", {"service": "no-underscore"}, "serviceNotDeclared", "name-form"),
    ],
)
async def test_what_the_platform_refuses_is_a_result_in_its_words(
    api: httpx.AsyncClient, path: str, body: dict[str, object], case: str, rule: str
) -> None:
    answer = await api.post(f"{AT}/{path}", json=body, timeout=30)
    assert answer.status_code == 200
    document = answer.json()
    assert (document["outcome"], document["platform"]["case"]) == ("refused", case)
    assert document["verdict"]["rule"] == rule
    assert {"domain", "code", "case", "delay_ms"} <= set(document["platform"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("listeners", {"service": SERVICE}),
        ("browsers", {"service": SERVICE}),
        ("connections", {"to": "camera"}),
        ("pairing-view", {"service": SERVICE}),
    ],
)
async def test_every_case_can_be_produced_at_once(api: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    cases = [each.value for each in WAError]
    assert len(cases) == 15
    for case in cases:
        document = (await api.post(f"{AT}/{path}", json={**body, "produce": case})).json()
        assert document["platform"].pop("delay_ms") < 1000
        assert document["platform"] == {"domain": "WAError", "code": None, "case": case}


@pytest.mark.parametrize("case", ["connectionIdleTimeout", "deviceNoLongerAvailable"])
async def test_what_runs_can_be_made_to_fail(api: httpx.AsyncClient, case: str) -> None:
    await _pair(api)
    connection = (await api.post(f"{AT}/connections", json={"to": "camera"}, timeout=30)).json()["value"]
    failed = (await api.post(f"{AT}/connections/{connection['id']}/end", json={"case": case})).json()
    assert (failed["state"], failed["error"]) == ("failed", {"domain": "WAError", "case": case})
    wrong = await api.post(f"{AT}/connections/{connection['id']}/end", json={"case": "boredom"})
    assert wrong.status_code == 400


async def test_a_phone_can_be_told_how_every_call_ends(api: httpx.AsyncClient) -> None:
    told = await api.patch("/v1/phones/phone", json={"outcome": "wifiAwareUnsupported"})
    assert told.json()["outcome"] == "wifiAwareUnsupported"
    refused = (await api.post("/v1/phones/phone/actions/open", json={"target": "camera"})).json()["value"]
    assert refused["platform"]["case"] == "wifiAwareUnsupported"
    assert (await api.patch("/v1/phones/phone", json={"outcome": None})).json()["outcome"] is None
    assert (await api.patch("/v1/phones/phone", json={"outcome": "nonsense"})).status_code == 422


async def test_browser_and_listener_time_out_in_their_own_words(api: httpx.AsyncClient) -> None:
    await _pair(api)
    for path, case in (("listeners", "publisherTimeout"), ("browsers", "subscriberTimeout")):
        running = (await api.post(f"{AT}/{path}", json={"service": SERVICE, "active": "1m"})).json()["value"]
        await api.post("/v1/time/advance", json={"duration": "2m"})
        shown = (await api.get(f"{AT}/{path}/{running['id']}")).json()
        assert (shown["state"], shown["error"]["case"]) == ("failed", case)
        assert (await api.delete(f"{AT}/{path}/{running['id']}")).status_code == 204
        assert (await api.get(f"{AT}/{path}")).json() == []
        assert (await api.get(f"{AT}/{path}/{running['id']}")).status_code == 404


async def test_two_phones_pair_through_view_and_picker(api: httpx.AsyncClient) -> None:
    opened = await api.post(f"{AT}/pairing-view", json={"service": "_chat._tcp"})
    assert opened.json()["value"] == {"open": True, "service": "_chat._tcp"}
    secret = (await api.get(f"{AT}/pairing-view", params={"secrets": True})).json()
    assert len(secret["code"]) == 6
    code = secret["code"]
    picked = await api.post(
        "/v1/phones/other/wifi-aware/picker", json={"service": "_chat._tcp", "code": code}, timeout=30
    )
    device = picked.json()["value"]["device"]
    assert device["pairing_info"]["vendor_name"] == "Apple Inc."
    await api.post("/v1/events/wait", json={"type": "PairingCompleted", "actor": "phone", "timeout": 10})
    assert len((await api.get(f"{AT}/paired-devices")).json()["devices"]) == 1
    assert (await api.delete(f"{AT}/pairing-view")).status_code == 204
    assert (await api.get(f"{AT}/pairing-view")).json() == {"open": False, "service": None, "code": None}
    assert (await api.delete(f"{AT}/pairing-view")).status_code == 409
    listener = (await api.post(f"{AT}/listeners", json={"service": "_chat._tcp"})).json()["value"]
    assert listener["state"] == "ready"
    opened = await api.post("/v1/phones/other/wifi-aware/connections", json={"to": device["id"]}, timeout=30)
    assert opened.json()["outcome"] == "done", opened.text


async def test_codes_stay_out_of_answers_and_events(api: httpx.AsyncClient, live: LiveHome) -> None:
    code = live.accessory("camera").shows["code"]
    answer = await api.post(f"{AT}/picker", json={"service": SERVICE, "code": code}, timeout=30)
    assert answer.json()["outcome"] == "done"
    assert code not in answer.text
    view = await api.post(f"{AT}/pairing-view", json={"service": "_chat._tcp"})
    shown = live.phone("phone").shows["code"]
    assert shown not in view.text
    log = "".join(str(each.as_json()) for each in live.log.since())
    assert f"'{code}'" not in log
    assert f"'{shown}'" not in log


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "pixel/wifi-aware/pairing-view", {"service": SERVICE}),
        ("GET", "pixel/wifi-aware/paired-devices", None),
        ("POST", "pixel/wifi-aware/browsers", {"service": SERVICE}),
        ("POST", "phone/wifi-aware/publish", {}),
        ("GET", "phone/wifi-aware/callbacks", None),
        ("GET", "hub/wifi-aware", None),
        ("POST", "hub/wifi-aware/picker", {}),
        ("POST", "hub/actions/pair", {"target": "camera"}),
        ("GET", "nobody/wifi-aware", None),
    ],
)
async def test_a_shape_that_a_phone_has_not_is_a_problem_that_says_what_it_has(
    api: httpx.AsyncClient, method: str, path: str, body: object
) -> None:
    answer = await api.request(method, f"/v1/phones/{path}", json=body)
    assert answer.status_code == 404
    assert answer.json()["detail"]


async def test_a_phone_says_which_shape_it_has_and_what_can_be_produced(api: httpx.AsyncClient) -> None:
    apple = (await api.get(AT)).json()
    assert (apple["shape"], apple["capabilities"]["supported_features"]) == ("ios", ["wifiAware"])
    assert len(apple["producible"]) == 15
    android = (await api.get("/v1/phones/pixel/wifi-aware")).json()
    assert android["shape"] == "android"
    assert len(android["producible"]) == 17
    assert "initiatePairingRequest" in android["methods"]


async def test_cancelling_the_picker_ends_the_pairing(api: httpx.AsyncClient) -> None:
    await api.patch("/v1/phones/phone", json={"code": "none"})
    picking = asyncio.create_task(api.post(f"{AT}/picker", json={"service": SERVICE}, timeout=30))
    waited = await api.post("/v1/events/wait", json={"type": "CodeRequired", "actor": "phone", "timeout": 10})
    assert waited.json()["event"]["is_waiting"]
    assert (await api.delete(f"{AT}/picker")).status_code == 204
    refused = (await picking).json()
    assert (refused["outcome"], refused["verdict"]["came"]) == ("refused", "cancelled")
    assert refused["platform"]["case"] is None  # the system keeps it to itself
    assert (await api.delete(f"{AT}/picker")).status_code == 409

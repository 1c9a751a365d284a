"""Emulated phones over HTTP: the platform's own calls, its refusals as results, and its user's consent."""

import asyncio

import httpx
import pytest

from devices.control.desk import Desk
from devices.home import LiveHome

pytestmark = pytest.mark.asyncio

NETWORK = "0e080000000000010000000300000f35060004001fffe0020811111111222222220708fdad70bfe5aa15dd051000112233445566778899aabbccddeeff030e4f70656e54687265616444656d6f010212340410445f2b5ca6f2a93a55ce570a70efeecb0c0402a0f7f8"  # noqa: E501  # a dataset as one text
KEY = "00112233445566778899aabbccddeeff"


async def test_phone_tells_its_platform_and_consent(api: httpx.AsyncClient) -> None:
    phone = (await api.get("/v1/phones/phone")).json()
    assert (phone["profile"], phone["consent"]) == ("ios-26", "allow")
    assert (await api.get("/v1/phones")).json() == [phone]
    assert (await api.get("/v1/phones/phon")).status_code == 404


async def test_refusal_of_a_platform_is_a_result_with_its_verdict(api: httpx.AsyncClient) -> None:
    arguments = {"border_agent_id": "0011223344556677", "dataset": NETWORK}
    answer = await api.post("/v1/phones/phone/thread/storeCredentials", json=arguments)
    assert answer.status_code == 200
    document = answer.json()
    assert document["outcome"] == "refused"
    assert set(document["verdict"]) == {"verdict", "rule", "expected", "came", "symptom", "hint"}
    assert {"domain", "code", "case", "delay_ms"} <= set(document["platform"])


async def test_keys_of_a_credential_leave_only_when_asked_for(api: httpx.AsyncClient, live: LiveHome) -> None:
    facts = live.accessory("br").facts
    await api.post("/v1/time/advance", json={"duration": "3s"})  # it probes for its name before it announces itself
    await api.post("/v1/events/wait", json={"type": "ServiceResolved", "actor": "phone"})
    dataset = live.accessory("br").dump_state()["network"]["active_dataset"]
    stored = await api.post(
        "/v1/phones/phone/thread/storeCredentials",
        json={"border_agent_id": facts["ext_address"], "dataset": dataset},
    )
    assert stored.json()["outcome"] == "done", stored.text
    path = "/v1/phones/phone/thread/retrieveAllCredentials"
    plain, asked = await api.post(path), await api.post(f"{path}?secrets=true")
    secret = set(asked.json()["value"][0]) - set(plain.json()["value"][0])
    assert {"network_key", "pskc", "active_operational_dataset"} <= secret
    assert dataset in asked.text
    assert all(asked.json()["value"][0][name] not in plain.text for name in secret)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("phone/thread/storeCredential", {}, 404),
        ("fone/thread/storeCredentials", {}, 404),
        ("phone/thread/addCredentials", {}, 404),
        ("phone/thread/storeCredentials", {}, 400),
        ("phone/thread/storeCredentials", {"border_agent_id": 5, "dataset": "00"}, 400),
        ("phone/thread/storeCredentials", [], 422),
        ("phone/actions/store-credential", {"border_agent": 5}, 400),
    ],
)
async def test_misuse_is_a_problem(api: httpx.AsyncClient, path: str, body: object, status: int) -> None:
    answer = await api.post(f"/v1/phones/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


async def test_question_for_consent_waits_for_its_user(api: httpx.AsyncClient) -> None:
    await api.patch("/v1/phones/phone", json={"consent": "ask"})
    asking = asyncio.create_task(api.post("/v1/phones/phone/thread/retrievePreferredCredentials"))
    await api.post("/v1/events/wait", json={"type": "ConsentRequested"})
    assert not asking.done()
    await api.post("/v1/phones/phone/actions/reject")
    assert (await asking).json()["verdict"]["rule"] == "consent-denied"


async def test_question_goes_away_with_the_client_that_caused_it(api: httpx.AsyncClient) -> None:
    await api.patch("/v1/phones/phone", json={"consent": "ask"})
    asking = asyncio.create_task(api.post("/v1/phones/phone/thread/retrievePreferredCredentials"))
    await api.post("/v1/events/wait", json={"type": "ConsentRequested"})
    asking.cancel()
    await asyncio.wait({asking})
    assert (await api.post("/v1/phones/phone/actions/accept")).status_code == 409


async def test_unanswered_question_ends_with_the_api(api: httpx.AsyncClient, desk: Desk) -> None:
    await api.patch("/v1/phones/phone", json={"consent": "never"})
    asking = asyncio.create_task(api.post("/v1/phones/phone/thread/retrievePreferredCredentials"))
    await api.post("/v1/events/wait", json={"type": "ConsentRequested"})
    desk.closing.set()
    assert (await asking).status_code == 503


async def test_unanswered_question_ends_with_the_phone(api: httpx.AsyncClient, live: LiveHome) -> None:
    await api.patch("/v1/phones/phone", json={"consent": "ask"})
    asking = asyncio.create_task(api.post("/v1/phones/phone/thread/retrievePreferredCredentials"))
    await api.post("/v1/events/wait", json={"type": "ConsentRequested"})
    await live.phone("phone").stop()
    assert (await asking).status_code == 503


async def test_consent_is_one_of_four_words(api: httpx.AsyncClient) -> None:
    answer = await api.patch("/v1/phones/phone", json={"consent": "perhaps"})
    assert answer.status_code == 422
    assert "'never'" in answer.json()["detail"]

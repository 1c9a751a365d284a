"""Who may speak to the control API."""

import httpx
import pytest

from devices.control.app import build_app
from devices.home import LiveHome

pytestmark = pytest.mark.asyncio

HOME: dict[str, object] = {}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8700", "localhost:9", "[::1]:8700", "127.5.5.5", "10.0.2.2:8700", "LOCALHOST"]
)
async def test_names_of_this_machine_are_served(api: httpx.AsyncClient, host: str) -> None:
    assert (await api.get("/v1/ready", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8700", "192.0.2.1", "localhost.evil.example", "", "[::1"]
)
@pytest.mark.parametrize("path", ["/", "/v1/ready", "/v1/accessories?secrets=true", "/no-such-route"])
async def test_rebound_name_is_refused_everywhere(api: httpx.AsyncClient, host: str, path: str) -> None:
    answer = await api.get(path, headers={"Host": host})
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert answer.json()["type"] == "urn:pairlab:problem:foreign-host"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1:8700", 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
async def test_page_of_another_site_may_not_post(api: httpx.AsyncClient, origin: str, status: int) -> None:
    answer = await api.post("/v1/time/advance", json={"duration": "1s"}, headers={"Origin": origin})
    assert answer.status_code == status


async def test_token_is_asked_for_where_there_is_one(live: LiveHome) -> None:
    transport = httpx.ASGITransport(build_app(live, token="t0k3n"))
    async with httpx.AsyncClient(transport=transport, base_url="http://lab.example:8700") as client:
        without = await client.get("/v1/ready")
        wrong = await client.get("/v1/ready", headers={"Authorization": "Bearer token"})
        right = await client.get("/v1/ready", headers={"Authorization": "Bearer t0k3n"})
        page = await client.get("/")
    assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")
    assert (wrong.status_code, right.status_code, page.status_code) == (401, 200, 200)


async def test_secrets_stay_on_this_machine(live: LiveHome) -> None:
    transport = httpx.ASGITransport(build_app(live, token="t"), client=("192.0.2.7", 5000))
    headers = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=transport, base_url="http://192.0.2.1", headers=headers) as client:
        plain, asked = await client.get("/v1/accessories"), await client.get("/v1/accessories?secrets=true")
    assert (plain.status_code, asked.status_code) == (200, 403)
    assert asked.json()["type"] == "urn:pairlab:problem:secrets-stay-here"

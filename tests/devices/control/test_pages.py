"""The two pages for people: self-contained, and shut to scripts from elsewhere."""

import re

import httpx
import pytest

pytestmark = pytest.mark.asyncio

HOME: dict[str, object] = {}


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_page_fetches_nothing_from_outside(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(path)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    outside = re.findall(r"""(?:src|href|url|import|fetch)\s*[=(]?\s*["'(]\s*(?:https?:)?//[^"']*""", answer.text)
    assert outside == []


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_page_shows_what_it_is_given_as_text_only(api: httpx.AsyncClient, path: str) -> None:
    text = (await api.get(path)).text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)


async def test_every_route_the_dashboard_asks_is_there(api: httpx.AsyncClient) -> None:
    asked = set(re.findall(r'"(/v1/[a-z/]+)', (await api.get("/")).text))
    assert asked == {"/v1/accessories", "/v1/phones", "/v1/commissioners", "/v1/faults", "/v1/events", "/v1/ready"}
    assert asked <= set((await api.get("/openapi.json")).json()["paths"])

"""A home with a border router and a phone, and its control API without a socket."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from devices.control.app import app_of
from devices.control.desk import Desk
from devices.home import HomeOptions, LiveHome
from devices.spec import read_home

HOME = {
    "name": "Control test",
    "accessory": [{"id": "br", "kind": "thread-border-router", "name": "Living Room"}],
    "phone": [{"id": "phone", "profile": "ios-26", "search_budget": "100ms"}],
}


@pytest_asyncio.fixture
async def live(request: pytest.FixtureRequest) -> AsyncIterator[LiveHome]:
    """The home, in real time on this test's loop; a module with a `HOME` of its own gets that."""
    tables = getattr(request.module, "HOME", HOME)
    home = LiveHome(read_home(tables), HomeOptions(seed=7, free_ports=True, attach="50ms"))
    await home.start()
    yield home
    await home.stop()


@pytest_asyncio.fixture
async def desk(live: LiveHome) -> Desk:
    """Where requests meet that home."""
    return Desk(live)


@pytest_asyncio.fixture
async def api(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application. What the application fails on comes as its answer 500."""
    transport = httpx.ASGITransport(app_of(desk), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8700") as client:
        yield client

"""Waiting for events and following them over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from devices.control.app import app_of
from devices.control.desk import Desk
from devices.event_log import StampedEvent
from devices.events import StateChanged
from devices.home import LiveHome
from devices.transports.sockets import listen_tcp
from devices.transports.web import WebServer, serve_web

pytestmark = pytest.mark.asyncio


def happen(live: LiveHome, *states: str) -> StampedEvent:
    """The lamp turns these colours; returns the last event."""
    return [live.log.append(StateChanged(state=state), actor="lamp") for state in states][-1]


async def wait(api: httpx.AsyncClient, **body: object) -> dict[str, object]:
    answer = await api.post("/v1/events/wait", json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, object] = answer.json()
    return document


async def test_wait_gives_a_past_event_and_the_cursor_after_it(api: httpx.AsyncClient, live: LiveHome) -> None:
    green = happen(live, "red", "green")
    answer = await wait(api, type="StateChanged", where={"state": "green"})
    assert answer == {"matched": True, "cursor": green.id, "event": green.as_json()}


async def test_wait_blocks_until_the_event_comes(api: httpx.AsyncClient, live: LiveHome) -> None:
    waiting = asyncio.create_task(wait(api, type="RoleChanged", actor="br", where={"role": "leader"}, timeout="10s"))
    answer = await waiting
    assert answer["matched"]
    assert live.accessory("br").state == "leader"


async def test_wait_goes_on_from_a_cursor(api: httpx.AsyncClient, live: LiveHome) -> None:
    last = happen(live, "red", "green", "red")
    first = await wait(api, type="StateChanged", actor="lamp", where={"state": "red"})
    second = await wait(api, type="StateChanged", actor="lamp", where={"state": "red"}, after=first["cursor"])
    assert second["cursor"] == last.id


async def test_wait_in_vain_names_the_nearest_three(api: httpx.AsyncClient, live: LiveHome) -> None:
    happen(live, "red", "green", "blue", "white")
    answer = await wait(api, type="StateChanged", actor="lamp", where={"state": "black"}, timeout=0, after=2)
    nearest = answer["nearest"]
    assert isinstance(nearest, list)
    assert [(each["event"]["state"], each["misses"]) for each in nearest] == [
        ("white", ["state is 'white'"]),
        ("blue", ["state is 'blue'"]),
        ("green", ["state is 'green'"]),
    ]
    assert (answer["matched"], answer["cursor"]) == (False, 2)


async def test_wait_follows_the_clock_of_the_home(api: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(wait(api, type="ClientExited", timeout="5m"))
    while not waiting.done():
        await api.post("/v1/time/advance", json={"duration": "1m"})
    assert (await waiting)["matched"] is False


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({}, 422, "type: Field required"),
        ({"type": "LeaderElected"}, 400, "no event is called 'LeaderElected'"),
        ({"type": "RoleChanged", "where": {"role": {"matches": "("}}}, 400, "not a regular expression"),
        ({"type": "RoleChanged", "where": {"rloc16": {"min": "a"}}}, 400, "min is a number"),
        ({"type": "RoleChanged", "timeout": "soon"}, 422, "timeout"),
        ({"type": "RoleChanged", "timeout": -1}, 422, "timeout"),
        ({"type": "RoleChanged", "timeout": 1e300}, 422, "timeout"),
        ({"type": "RoleChanged", "after": -1}, 422, "after"),
        ({"type": "RoleChanged", "were": {}}, 422, "did you mean 'where'?"),
    ],
)
async def test_wait_that_could_never_match_is_a_problem(
    api: httpx.AsyncClient, body: dict[str, object], status: int, detail: str
) -> None:
    answer = await api.post("/v1/events/wait", json=body)
    assert (answer.status_code, detail in answer.json()["detail"]) == (status, True), answer.text


async def test_wait_does_not_let_a_secret_be_guessed(api: httpx.AsyncClient, live: LiveHome) -> None:
    await live.do("br", "share-code")
    body = {"type": "EphemeralKeyActivated", "where": {"code": {"matches": "^1"}}, "timeout": 0}
    assert (await api.post("/v1/events/wait", json=body)).status_code == 403
    assert (await api.post("/v1/events/wait?secrets=true", json=body)).status_code == 200


async def test_event_has_its_secret_only_when_asked(api: httpx.AsyncClient, live: LiveHome) -> None:
    await live.do("br", "share-code")
    code = live.accessory("br").shows["code"]
    plain = await api.post("/v1/events/wait", json={"type": "EphemeralKeyActivated"})
    asked = await api.post("/v1/events/wait?secrets=true", json={"type": "EphemeralKeyActivated"})
    assert code not in plain.text
    assert asked.json()["event"]["code"] == code


class Stream:
    """A raw connection that follows the events, so that the test sees each block as it comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._text = ""

    @classmethod
    async def open(cls, server: WebServer, path: str = "/v1/events", header: str = "") -> "Stream":
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0])
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 200 ")
        assert "content-type: text/event-stream" in head
        stream = cls(reader, writer)
        assert await stream.block() == ": pairlab events"
        return stream

    async def block(self) -> str:
        while "\n\n" not in self._text:
            size = int(await self._reader.readline(), 16)
            self._text += (await self._reader.readexactly(size)).decode()
            await self._reader.readexactly(2)
        block, _, self._text = self._text.partition("\n\n")
        return block

    async def event(self) -> dict[str, object]:
        block = await self.block()
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        document: dict[str, object] = json.loads(lines["data"])
        assert lines["id"] == str(document["id"])
        return document

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def serving(desk: Desk) -> AsyncIterator[WebServer]:
    server = await serve_web(app_of(desk), [listen_tcp("127.0.0.1", 0, "test", explicit=True)])
    yield server
    await server.close()


async def test_stream_has_past_events_and_each_new_one(desk: Desk, live: LiveHome) -> None:
    async for server in serving(desk):
        past = [event.as_json() for event in live.log.since(0)]
        stream = await Stream.open(server)
        assert [await stream.event() for _ in past] == past
        red = happen(live, "red")
        while (event := await stream.event())["actor"] != "lamp":
            pass  # the border router has news too
        assert event == red.as_json()
        await stream.close()


@pytest.mark.parametrize("way", ["query", "header"])
async def test_stream_resumes_after_an_event(desk: Desk, live: LiveHome, way: str) -> None:
    after = happen(live, "red", "green", "blue").id - 1
    async for server in serving(desk):
        if way == "query":
            stream = await Stream.open(server, f"/v1/events?after={after}")
        else:
            stream = await Stream.open(server, header=f"Last-Event-ID: {after}\r\n")
        assert (await stream.event())["state"] == "blue"
        await stream.close()


async def test_stream_beats_while_nothing_happens(live: LiveHome) -> None:
    async for server in serving(Desk(live, heartbeat_s=0.001)):
        stream = await Stream.open(server, "/v1/events?after=999999")
        assert await stream.block() == ": heartbeat"
        await stream.close()


async def test_stream_ends_with_the_home_and_has_its_last_events(desk: Desk, live: LiveHome) -> None:
    async for server in serving(desk):
        stream = await Stream.open(server, f"/v1/events?after={live.log.last_id}")
        await live.accessory("br").power_off()
        desk.closing.set()
        blocks = [await stream.block()]
        while not blocks[-1].startswith("event: end"):
            blocks.append(await stream.block())
        assert any('"type":"StateChanged"' in block and '"state":"off"' in block for block in blocks)
        await stream.close()


async def test_stream_leaves_nothing_when_its_client_hangs_up(desk: Desk) -> None:
    async for server in serving(desk):
        before = asyncio.all_tasks()
        stream = await Stream.open(server)
        await stream.close()
        await asyncio.wait(asyncio.all_tasks() - before)
        assert asyncio.all_tasks() == before


async def test_stream_tells_how_many_events_it_could_not_keep(desk: Desk, live: LiveHome) -> None:
    kept = happen(live, "red").id
    live.log.last_id += 5  # as if five had been dropped from a full log
    happen(live, "green")
    async for server in serving(desk):
        stream = await Stream.open(server, f"/v1/events?after={kept}")
        assert await stream.block() == "event: gap\ndata: 5"
        assert (await stream.event())["state"] == "green"
        await stream.close()

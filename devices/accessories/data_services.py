"""What an accessory offers at the end of a data path: an echo, a web page, a camera's pictures, or another program.

Each speaks on streams and datagrams, in memory or on sockets; it does not know which.
"""

import asyncio
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

import h11

from devices.accessories.camera_picture import Scene, picture
from devices.errors import ClockError
from devices.transports.data_path import DatagramFlow, Service
from devices.transports.data_streams import CHUNK, DataStream, SocketStream

Journal = Callable[[str, str, int], None]
"""Told of each request: method, path, status."""


class Echo:
    """Says back what it is told, on either transport."""

    page_of_interest = ""

    async def converse(self, stream: DataStream) -> None:
        while octets := await stream.read():
            await stream.write(octets)

    def open_flow(self, reply: Callable[[bytes], None]) -> DatagramFlow:
        return _Answering(lambda payload: reply(payload))


@dataclass(frozen=True, slots=True)
class _Answering:
    """Datagrams that are answered at once, or not at all."""

    answer: Callable[[bytes], None]

    def receive(self, payload: bytes) -> None:
        self.answer(payload)

    def close(self) -> None:
        pass


def _ignore(_payload: bytes) -> None:
    """Datagrams mean nothing to a web server."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a web server."""

    status: int
    content_type: str = "text/plain; charset=utf-8"
    body: bytes = field(default=b"", repr=False)
    headers: Sequence[tuple[str, str]] = ()


_NOT_FOUND = Page(404, body=b"there is nothing here\n")
_NOT_ALLOWED = Page(405, body=b"only GET and HEAD\n", headers=(("allow", "GET, HEAD"),))
_BAD_REQUEST = Page(400, body=b"this is no HTTP request\n")


class WebPages:
    """An HTTP/1.1 server on any stream; subclasses have `pages`. It keeps connections until the client leaves."""

    page_of_interest = "/"
    """What to fetch first, as a path."""

    def __init__(self, title: str, facts: Mapping[str, str], journal: Journal) -> None:
        self._title = title
        self._facts = dict(facts)
        self._journal = journal

    def page(self, path: str) -> Page:
        """What is at a path."""
        return Page(200, "text/html; charset=utf-8", self._index("")) if path == "/" else _NOT_FOUND

    def open_flow(self, reply: Callable[[bytes], None]) -> DatagramFlow:
        return _Answering(_ignore)

    async def converse(self, stream: DataStream) -> None:
        connection = h11.Connection(h11.SERVER)
        while True:
            try:
                request = await self._request(connection, stream)
            except h11.RemoteProtocolError:
                if connection.our_state is h11.IDLE or connection.our_state is h11.SEND_RESPONSE:
                    self._journal("?", "?", _BAD_REQUEST.status)
                    await _send(connection, stream, _BAD_REQUEST, with_body=True)
                return
            if request is None:
                return
            method, path = request.method.decode("ascii"), urlsplit(request.target.decode("latin-1")).path
            page = self.page(path) if method in ("GET", "HEAD") else _NOT_ALLOWED
            self._journal(method, path, page.status)
            await _send(connection, stream, page, with_body=method != "HEAD")
            if connection.our_state is not h11.DONE:
                return
            connection.start_next_cycle()

    async def _request(self, connection: h11.Connection, stream: DataStream) -> h11.Request | None:
        request: h11.Request | None = None
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.read())
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.EndOfMessage):
                return request
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                return None

    def _index(self, extra: str) -> bytes:
        rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in self._facts.items())
        title = html.escape(self._title)
        page = f"<!doctype html><title>{title}</title><h1>{title}</h1>{extra}<table>{rows}</table>\n"
        return page.encode()


async def _send(connection: h11.Connection, stream: DataStream, page: Page, *, with_body: bool) -> None:
    headers = [
        ("content-type", page.content_type),
        ("content-length", str(len(page.body))),
        ("cache-control", "no-store"),
    ]
    reason = HTTPStatus(page.status).phrase
    sent = [
        connection.send(h11.Response(status_code=page.status, headers=[*headers, *page.headers], reason=reason)),
        connection.send(h11.Data(data=page.body)) if with_body else b"",
        connection.send(h11.EndOfMessage()),
    ]
    await stream.write(b"".join(part for part in sent if part))


class Camera(WebPages):
    """An index page and a picture that changes with every request for it."""

    page_of_interest = "/picture.png"

    def __init__(self, title: str, facts: Mapping[str, str], journal: Journal, scene: Scene) -> None:
        super().__init__(title, facts, journal)
        self._scene = scene
        self.frames = 0
        """Pictures taken so far."""

    def page(self, path: str) -> Page:
        if path == "/":
            image = '<p><img src="picture.png" width="480" height="360" alt="what the camera sees"></p>'
            return Page(200, "text/html; charset=utf-8", self._index(image))
        if path != "/picture.png":
            return _NOT_FOUND
        self.frames += 1
        return Page(200, "image/png", picture(self._scene, self.frames), (("x-frame", str(self.frames)),))


class Forward:
    """Hands octets and datagrams to a program that the user names, at HOST:PORT. Real time only."""

    page_of_interest = ""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def converse(self, stream: DataStream) -> None:
        onward = SocketStream(*await asyncio.open_connection(self._host, self._port))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(stream, onward))
                both.create_task(_pump(onward, stream))
        except* OSError:
            pass  # one side was cut off; the other is, too
        finally:
            onward.abort()
            await onward.wait_closed()

    def open_flow(self, reply: Callable[[bytes], None]) -> DatagramFlow:
        return _ForwardedFlow(self._host, self._port, reply)


async def _pump(source: DataStream, sink: DataStream) -> None:
    while octets := await source.read(CHUNK):
        await sink.write(octets)
    sink.finish()


class _ForwardedFlow(asyncio.DatagramProtocol):
    """A UDP socket of its own for one client, so that answers find their way back."""

    def __init__(self, host: str, port: int, reply: Callable[[bytes], None]) -> None:
        self._reply = reply
        self._waiting: list[bytes] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._opening = asyncio.ensure_future(self._open(host, port))

    async def _open(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, remote_addr=(host, port))
        except OSError:
            return  # nobody there: datagrams vanish, as datagrams do
        for payload in self._waiting:
            self._transport.sendto(payload)
        self._waiting.clear()

    def receive(self, payload: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(payload)
        elif len(self._waiting) < 100:
            self._waiting.append(payload)

    def close(self) -> None:
        self._opening.cancel()
        if self._transport is not None:
            self._transport.abort()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._reply(data)

    def error_received(self, exc: Exception) -> None:
        """The program is not there: its silence is the answer."""


def service_named(
    text: str, *, title: str, facts: Mapping[str, str], journal: Journal, scene: Scene, is_virtual: bool
) -> Service | None:
    """The service that a home file names: echo, http, camera, none, or HOST:PORT.

    Raises ClockError for HOST:PORT in virtual time, which no program outside shares.
    """
    match text:
        case "echo":
            return Echo()
        case "http":
            return WebPages(title, facts, journal)
        case "camera":
            return Camera(title, facts, journal, scene)
        case "none":
            return None
    if is_virtual:
        raise ClockError(f"the service {text} lives in real time; start the home in real time")
    host, _, port = text.rpartition(":")
    return Forward(host.strip("[]"), int(port))

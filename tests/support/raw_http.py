"""HTTP/1.1 over a real socket with exactly the headers that the caller lists; Host and Content-Length are added."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import h11


@dataclass(frozen=True)
class RawReply:
    """An answer as it came: header names in lower case, as the wire has them in `raw_headers`."""

    status: int
    headers: Mapping[str, str]
    raw_headers: tuple[tuple[str, str], ...]
    body: bytes


async def exchange(
    port: int, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> RawReply:
    """One request on a connection of its own, and its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await _exchange(reader, writer, method, target, headers or {}, body)
    finally:
        writer.close()
        await writer.wait_closed()


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None,
) -> RawReply:
    connection = h11.Connection(h11.CLIENT)
    sent = [("Host", "127.0.0.1"), *headers.items()]
    if body is not None or method in ("PUT", "POST"):
        sent.append(("Content-Length", str(len(body or b""))))
    request = h11.Request(method=method, target=quote(target, safe="/?=&%[],:+.*-"), headers=sent)
    writer.write(connection.send(request) or b"")
    if body:
        writer.write(connection.send(h11.Data(data=body)) or b"")
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    response: h11.Response | None = None
    received = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            received += event.data
        elif isinstance(event, h11.EndOfMessage):
            break
    assert response is not None
    raw = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw_items())
    return RawReply(response.status_code, {name.lower(): value for name, value in raw}, raw, bytes(received))

"""A recorded client's side again, against another home: its HTTP requests, byte for byte, and how answers differ.

A transcript with secrets has what real programs and accessories said over TCP. Each request goes to the accessory of
the same id, over a connection of its own where it had one, at its time or as soon as the answer before it is there.
What a program says under TLS or DTLS holds its chance and cannot be said again; it is left out, and counted.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import h11

from devices.errors import TranscriptError, UnknownActorError
from devices.home import LiveHome
from devices.transcripts.reader import Octets, Record
from pairing.engine import Endpoint, Micros

ANSWER_SECONDS = 20.0
_CHUNK = 65_536
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, and a body, parsed where it is JSON."""

    status: int
    body: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One recorded request: to whom, over which connection, its octets, and what it was answered (None: nothing)."""

    at_us: Micros
    actor: str
    connection: Endpoint
    method: str
    path: str
    octets: bytes = field(repr=False)
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that was sent again, and what it was answered this time."""

    request: Request
    answer: Answer | None

    @property
    def differences(self) -> Mapping[str, tuple[Any, Any]]:
        """Place -> what was recorded, and what came now: `status`, or `body` with the members below it."""
        before, now = self.request.answer, self.answer
        if before is None or now is None:
            pair = (None if before is None else before.status, None if now is None else now.status)
            return {} if pair == (None, None) else {"status": pair}
        differences = dict(_differences(before.body, now.body, "body"))
        return differences if before.status == now.status else {"status": (before.status, now.status), **differences}

    def as_json(self) -> dict[str, Any]:
        """One JSON document. Bodies are in it only where they differ."""
        request = self.request
        return {
            "at_us": request.at_us,
            "actor": request.actor,
            "method": request.method,
            "path": request.path,
            "recorded": None if request.answer is None else request.answer.status,
            "status": None if self.answer is None else self.answer.status,
            "differences": {place: list(pair) for place, pair in self.differences.items()},
        }


@dataclass(slots=True)
class _Talk:
    """One recorded connection."""

    actor: str
    inward: bytearray = field(default_factory=bytearray)
    outward: bytearray = field(default_factory=bytearray)
    times: list[tuple[int, Micros]] = field(default_factory=list)

    def time_at(self, offset: int) -> Micros:
        """When the octet at this offset was said."""
        return next(at for end, at in self.times if offset < end)


def requests_of(records: Iterable[Record]) -> tuple[list[Request], int]:
    """The HTTP requests of a transcript by their time, and how many connections spoke something else.

    Raises TranscriptError where a transcript holds no octets of connections at all.
    """
    talks: dict[tuple[Endpoint, Endpoint], _Talk] = {}
    for record in records:
        if isinstance(record, Octets):
            talk = talks.setdefault((record.own, record.peer), _Talk(record.actor))
            (talk.inward if record.inward else talk.outward).extend(record.payload)
            if record.inward:
                talk.times.append((len(talk.inward), record.at_us))
    if not talks:
        raise TranscriptError(
            "it holds nothing that a program said over TCP; record with --secrets, as that may be keys"
        )
    found: list[Request] = []
    strangers = 0
    for (_, peer), talk in talks.items():
        try:
            found += _requests(talk, peer)
        except h11.ProtocolError:
            strangers += 1
    return sorted(found, key=lambda each: each.at_us), strangers


async def replay(live: LiveHome, requests: Iterable[Request], *, at_once: bool = False) -> AsyncIterator[Exchange]:
    """Send each request, at its time on the home's clock or `at_once`. Raises UnknownActorError, which names whom."""
    async with contextlib.AsyncExitStack() as stack:
        open_ones: dict[Endpoint, _Connection] = {}
        for request in requests:
            place = _place(live, request.actor)
            if not at_once:
                await live.clock.sleep(max(0, request.at_us - live.clock.now()))
            connection = open_ones.get(request.connection)
            if connection is None or connection.is_over:
                connection = open_ones[request.connection] = _Connection(*place)
                stack.push_async_callback(connection.close)
            yield Exchange(request, await connection.ask(request))


class _Connection:
    """A connection to an accessory, opened when it is first used."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.is_over = False

    async def ask(self, request: Request) -> Answer | None:
        """The answer, or None where none came."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection(*self._place)
            reader, writer = self._streams
            writer.write(request.octets)
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._answer(reader, request.method)
        except (OSError, TimeoutError, h11.ProtocolError):
            self.is_over = True
            return None

    async def _answer(self, reader: asyncio.StreamReader, method: str) -> Answer:
        reading = _AnswerReading(method)
        answer = None
        while answer is None:
            octets = await reader.read(_CHUNK)
            answer = reading.feed(octets)
            self.is_over = not octets
            if self.is_over and answer is None:
                raise ConnectionResetError("no answer came")
        self.is_over = self.is_over or reading.is_last
        return answer

    async def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            writer = self._streams[1]
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _place(live: LiveHome, actor: str) -> tuple[str, int]:
    if actor not in live.accessories:
        raise UnknownActorError(f"the recorded program spoke to {actor!r}, and nobody is called so in this home")
    for each in live.accessories[actor].endpoints.values():
        if each.startswith("http://"):
            parts = urlsplit(each)
            return parts.hostname or "127.0.0.1", parts.port or 80
    raise UnknownActorError(f"the recorded program spoke HTTP to {actor!r}, which has no such endpoint now")


def _requests(talk: _Talk, peer: Endpoint) -> Iterator[Request]:
    """Cut a recorded connection into its requests; h11.ProtocolError where it is something else."""
    octets, offset = bytes(talk.inward), 0
    answered = bytes(talk.outward)
    while offset < len(octets):
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST)
        parser.receive_data(octets[offset:])
        head = parser.next_event()
        if not isinstance(head, h11.Request):
            return  # it broke off in the middle of a head
        event: object = head
        while not isinstance(event, h11.EndOfMessage):
            event = parser.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
        end = len(octets) - len(parser.trailing_data[0])
        method, path = head.method.decode("ascii"), head.target.decode("ascii", "replace")
        answer, answered = _first_answer(answered, method)
        yield Request(talk.time_at(offset), talk.actor, peer, method, path, octets[offset:end], answer)
        offset = end


def _first_answer(octets: bytes, method: str) -> tuple[Answer | None, bytes]:
    """The first answer among octets, and what is behind it."""
    reading = _AnswerReading(method)
    answer = reading.feed(octets)
    return (reading.feed(b"") if answer is None else answer), reading.rest


class _AnswerReading:
    """Reads one answer; which question was asked matters, as HEAD has no body."""

    def __init__(self, method: str) -> None:
        self._parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST)
        self._parser.send(h11.Request(method=method, target="/", headers=[("host", "home")]))
        self._parser.send(h11.EndOfMessage())
        self._head: h11.Response | None = None
        self._body = bytearray()

    def feed(self, octets: bytes) -> Answer | None:
        """The answer once it is complete; no octets are the end of the connection. Raises h11.ProtocolError."""
        self._parser.receive_data(octets)
        while True:
            event = self._parser.next_event()
            if isinstance(event, h11.Response):
                self._head = event
            elif isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage) and self._head is not None:
                return Answer(self._head.status_code, _parsed(bytes(self._body), self._head))
            elif not isinstance(event, h11.InformationalResponse):
                return None

    @property
    def rest(self) -> bytes:
        """What came behind the answer."""
        return self._parser.trailing_data[0]

    @property
    def is_last(self) -> bool:
        """Whether the server closes after it."""
        return self._parser.their_state is not h11.DONE


def _parsed(body: bytes, head: h11.Response) -> Any:
    kind = next((value for name, value in head.headers if name == b"content-type"), b"")
    if b"json" in kind:
        with contextlib.suppress(ValueError):
            return json.loads(body)
    return body.decode("utf-8", "backslashreplace")


def _differences(before: Any, now: Any, place: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in [*before, *(each for each in now if each not in before)]:
            yield from _differences(before.get(name), now.get(name), f"{place}.{name}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, pair in enumerate(zip(before, now, strict=True)):
            yield from _differences(*pair, f"{place}[{number}]")
    elif before != now:
        yield place, (before, now)

"""Ladders: a transcript as text, one column an actor, one line a record.

    seconds    br        phone
    0.000000   ●────────▶           query PTR _meshcop._udp
    0.001000             ◆          PeerDiscovered service=_meshcop._udp

A group frame points at every other column. Which columns there are is known before the first line is drawn: `Cast`
collects them in a first pass.
"""

from collections.abc import Iterable, Iterator, Sequence

from devices.transcripts.reader import Fate, Frame, Happened, Header, Record
from devices.transcripts.summary import event_summary, fate_summary, frame_summary
from pairing.engine import Address, Endpoint, Micros
from pairing.nan.service_id import service_id

_TIME_WIDTH = 12
_LANES_WIDTH = 72
_NARROWEST, _WIDEST = 6, 16
_LANE, _SENDER, _LINE, _RIGHT, _LEFT, _EVENT, _LOST, _CHANGED = "│", "●", "─", "▶", "◀", "◆", "✕", "≠"


class Cast:
    """Who takes part, in the order of appearance, which address is whose, and what services are called."""

    def __init__(self) -> None:
        self.actors: list[str] = []
        self.services: dict[bytes, str] = {}
        """Service ID of Wi-Fi Aware -> name: frames have the one, events the other."""
        self._owners: dict[object, str] = {}

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Cast":
        """The cast of these records."""
        cast = cls()
        for record in records:
            cast.add(record)
        return cast

    def add(self, record: Record) -> None:
        """Take note of everyone in a record."""
        match record:
            case Frame():
                self._enter(record.sender)
                self._owners.setdefault(_key(record.source), record.sender)
            case Fate():
                self._enter(record.sender)
                self._enter(record.receiver)
            case Happened():
                self._enter(str(record.event["actor"]))
                service = record.event.get("service")
                if isinstance(service, str) and service not in self.services.values():
                    self.services[service_id(service)] = service
            case Header():
                pass

    def _enter(self, actor: str) -> None:
        if actor and actor not in self.actors:
            self.actors.append(actor)

    def owner(self, address: Address) -> str | None:
        """Whose address it is; None for a group, or a stranger."""
        return self._owners.get(_key(address))


def ladder(records: Iterable[Record], cast: Cast) -> Iterator[str]:
    """The lines of a ladder. Control characters are escaped: what came from a network must not drive a terminal."""
    lanes = _Lanes(cast.actors)
    yield lanes.heading
    for record in records:
        match record:
            case Header():
                pass
            case Frame():
                receiver = cast.owner(record.to)
                receivers = [each for each in cast.actors if each != record.sender] if receiver is None else [receiver]
                yield lanes.line(
                    record.at_us, lanes.arrow(record.sender, receivers), frame_summary(record, cast.services)
                )
            case Fate():
                sign = _CHANGED if record.arrivals else _LOST
                yield lanes.line(record.at_us, lanes.mark(record.receiver, sign), fate_summary(record))
            case Happened():
                actor = str(record.event["actor"])
                yield lanes.line(record.at_us, lanes.mark(actor, _EVENT), event_summary(record))


class _Lanes:
    def __init__(self, actors: Sequence[str]) -> None:
        shown = [_printable(each) for each in actors]
        longest = max((len(each) for each in shown), default=0) + 2
        room = _LANES_WIDTH // max(1, len(actors))
        self._width = max(_NARROWEST, min(longest, room, _WIDEST))
        self._place = {actor: index * self._width for index, actor in enumerate(actors)}
        cut = (each if len(each) < self._width else f"{each[: self._width - 2]}…" for each in shown)
        self.heading = f"{'seconds':>{_TIME_WIDTH}}  {''.join(f'{each:<{self._width}}' for each in cut)}".rstrip()

    def line(self, at_us: Micros, lanes: str, text: str) -> str:
        seconds = f"{at_us // 1_000_000}.{at_us % 1_000_000:06}"
        return f"{seconds:>{_TIME_WIDTH}}  {lanes}  {_printable(text)}"

    def mark(self, actor: str, sign: str) -> str:
        cells = self._blank()
        if actor in self._place:
            cells[self._place[actor]] = sign
        return "".join(cells)

    def arrow(self, sender: str, receivers: Iterable[str]) -> str:
        cells = self._blank()
        start = self._place[sender]
        ends = [self._place[each] for each in receivers if each in self._place and each != sender]
        for place in range(min([start, *ends]), max([start, *ends])):
            cells[place] = _LINE
        for place in ends:
            cells[place] = _RIGHT if place > start else _LEFT
        cells[start] = _SENDER
        return "".join(cells)

    def _blank(self) -> list[str]:
        cells = [" "] * (len(self._place) * self._width)
        for place in self._place.values():
            cells[place] = _LANE
        return cells


def _key(address: Address) -> object:
    return address.host if isinstance(address, Endpoint) else address


def _printable(text: str) -> str:
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "backslashreplace").decode()
        for character in text
    )

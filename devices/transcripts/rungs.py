"""What a picture of a transcript shows: one rung a record, who takes part in it, and what it says.

Text and SVG are drawn from the same rungs. Which columns there are is known before the first one is drawn:
`Cast` collects them in a first pass.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from devices.transcripts.hci_ways import HciWays, is_hci, own_address
from devices.transcripts.reader import Fate, Frame, Happened, Header, Octets, Record
from devices.transcripts.summary import event_summary, fate_summary, frame_summary, octets_summary
from pairing.engine import Address, Endpoint, Micros
from pairing.nan.service_id import service_id

PROGRAM = "program"
"""The column of real programs that are connected by TCP."""


class Mark(Enum):
    """What a rung is."""

    SENT = "sent"
    LOST = "lost"
    CHANGED = "changed"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Rung:
    """One line of a picture. `receivers` are the ends of the arrow; none where it leads to nobody who is known."""

    at_us: Micros
    mark: Mark
    actor: str
    receivers: tuple[str, ...]
    text: str
    medium: str = ""


class Cast:
    """Who takes part, in the order of appearance, which address is whose, and what services are called."""

    def __init__(self) -> None:
        self.actors: list[str] = []
        self.services: dict[bytes, str] = {}
        """Service ID of Wi-Fi Aware -> name: frames have the one, events the other."""
        self.radios: dict[bytes, str] = {}
        """Device address of Bluetooth, least significant octet first -> actor."""
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
                if is_hci(record):
                    if (address := own_address(record)) is not None:
                        self.radios[address] = record.sender
                else:
                    self._owners.setdefault(_key(record.source), record.sender)
            case Fate():
                self._enter(record.sender)
                self._enter(record.receiver)
            case Happened():
                self._enter(str(record.event["actor"]))
                service = record.event.get("service")
                if isinstance(service, str) and service not in self.services.values():
                    self.services[service_id(service)] = service
            case Octets():
                self._enter(record.actor)
                self._enter(PROGRAM)
            case Header():
                pass

    def _enter(self, actor: str) -> None:
        if actor and actor not in self.actors:
            self.actors.append(actor)

    def owner(self, address: Address) -> str | None:
        """Whose address it is; None for a group, or a stranger."""
        return self._owners.get(_key(address))


def rungs(records: Iterable[Record], cast: Cast, *, hci: bool = False) -> Iterator[Rung]:
    """The rungs of these records. What a Bluetooth host and its controller say to each other only with `hci`."""
    ways = HciWays(cast.radios)
    for record in records:
        match record:
            case Header():
                continue
            case Frame():
                way = ways.way(record) if is_hci(record) else (record.sender, _receivers(record, cast))
                if way is None and hci:
                    way = record.sender, ()
                if way is not None:
                    said = frame_summary(record, cast.services)
                    yield Rung(record.at_us, Mark.SENT, *way, said, record.medium)
            case Fate():
                mark = Mark.CHANGED if record.arrivals else Mark.LOST
                yield Rung(record.at_us, mark, record.receiver, (), fate_summary(record), record.medium)
            case Octets():
                way = (PROGRAM, (record.actor,)) if record.inward else (record.actor, (PROGRAM,))
                yield Rung(record.at_us, Mark.SENT, *way, octets_summary(record), "tcp")
            case Happened():
                yield Rung(record.at_us, Mark.EVENT, str(record.event["actor"]), (), event_summary(record))


def _receivers(frame: Frame, cast: Cast) -> tuple[str, ...]:
    owner = cast.owner(frame.to)
    return tuple(each for each in cast.actors if each != frame.sender) if owner is None else (owner,)


def _key(address: Address) -> object:
    return address.host if isinstance(address, Endpoint) else address

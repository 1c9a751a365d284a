"""A few NAN engines on one air, in virtual time: each frame arrives after a fixed latency, or is lost by its number."""

import heapq
import itertools
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TypeVar

from pairing.engine import Engine, Event, Micros, Output, Outputs, Transmit
from pairing.nan.sessions import LocalDevice

LATENCY: Micros = 100
CLUSTER_ID = bytes.fromhex("506f9a010125")
Hears = Callable[[int, int], bool]
_E = TypeVar("_E", bound=Event)


def nmi(number: int) -> bytes:
    """The address of a station."""
    return bytes((2, 0, 0, 0, 0, number))


def local_device(number: int) -> LocalDevice:
    """A device that says nothing of itself but its addresses."""
    return LocalDevice(nmi=nmi(number), cluster_id=CLUSTER_ID)


def counting_entropy(start: int = 1) -> Callable[[int], bytes]:
    """Draws that differ from each other and are the same in every run."""
    counter = itertools.count(start)
    return lambda length: bytes((next(counter) * 37 + place) & 0xFF for place in range(length))


@dataclass
class Station:
    """Engines that share an address."""

    address: bytes
    engines: list[Engine]
    outputs: list[Output] = field(default_factory=list)

    def events(self, kind: type[_E]) -> list[_E]:
        """What it reported of one kind."""
        return [each for each in self.outputs if isinstance(each, kind)]


class Air:
    """Stations, the frames between them, and the time. `lost` holds the numbers, from 0, of frames that vanish."""

    def __init__(self, *stations: Station, lost: Collection[int] = (), latency: Micros = LATENCY) -> None:
        self.stations = list(stations)
        self.lost = lost
        self.latency = latency
        self.now: Micros = 0
        self.frames: list[bytes] = []
        self.hears: Hears = lambda sender, receiver: True
        self._order = itertools.count()
        self._flying: list[tuple[Micros, int, int, bytes, bytes]] = []

    def act(self, station: Station, outputs: Outputs) -> None:
        """What an intent or an engine put out: events are kept, frames fly."""
        for output in outputs:
            station.outputs.append(output)
            if isinstance(output, Transmit):
                self._fly(station, output)

    def _fly(self, station: Station, frame: Transmit) -> None:
        number = len(self.frames)
        self.frames.append(frame.payload)
        assert isinstance(frame.to, bytes)
        is_group = bool(frame.to[0] & 1)
        sender = self.stations.index(station)
        for place, other in enumerate(self.stations):
            if place == sender or number in self.lost or not self.hears(sender, place):
                continue
            if is_group or other.address == frame.to:
                arrival = self.now + self.latency
                heapq.heappush(self._flying, (arrival, next(self._order), place, station.address, frame.payload))

    def run(self, until: Micros) -> None:
        """Let arrivals and deadlines happen in order, up to that time."""
        while (due := self._next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            if self._flying and self._flying[0][0] <= self.now:
                _, _, place, sender, payload = heapq.heappop(self._flying)
                station = self.stations[place]
                for engine in station.engines:
                    self.act(station, engine.receive(payload, sender, self.now))
                continue
            for station in self.stations:
                for engine in station.engines:
                    if engine.deadline is not None and engine.deadline <= self.now:
                        self.act(station, engine.handle_timeout(self.now))
        self.now = max(self.now, until)

    def _next_due(self) -> Micros | None:
        times = [engine.deadline for station in self.stations for engine in station.engines]
        if self._flying:
            times.append(self._flying[0][0])
        return min((time for time in times if time is not None), default=None)

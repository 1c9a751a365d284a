"""A transcript as what explainers ask of it: events in order, frames with what became of them, addresses, values.

Values of secret members are there only where the transcript was recorded with secrets.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from devices.transcripts.reader import Fate, Frame, Happened, Record
from devices.transcripts.rungs import Cast
from devices.transcripts.summary import frame_summary
from pairing.engine import Address, Endpoint, Micros, peer_name

LOOK_BACK = 10_000
"""Frames before an event that are looked at."""
Event: TypeAlias = Mapping[str, Any]
Values: TypeAlias = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Telling:
    """A frame as it reached one receiver: what was sent, and what arrived (None if it was lost)."""

    frame: Frame
    receiver: str
    arrived: bytes | None = field(repr=False)
    names: Mapping[bytes, str] = field(default_factory=dict, repr=False)

    @property
    def summary(self) -> str:
        """How it reads, as it was sent."""
        return frame_summary(self.frame, self.names)

    @property
    def is_lost(self) -> bool:
        """Nothing arrived."""
        return self.arrived is None

    @property
    def is_changed(self) -> bool:
        """Other bytes arrived than were sent."""
        return self.arrived is not None and self.arrived != self.frame.payload

    @property
    def payload(self) -> bytes:
        """What arrived, or was lost."""
        return self.frame.payload if self.arrived is None else self.arrived

    def as_json(self) -> dict[str, Any]:
        """Sender, receiver, time, and the bytes that arrived."""
        return {
            "at_us": self.frame.at_us,
            "sender": self.frame.sender,
            "receiver": self.receiver,
            "summary": self.summary,
            "payload": self.payload.hex(),
        }


class Story:
    """One transcript. `password` is what a user says that the code was, for mistakes that only it can tell."""

    def __init__(self, records: Iterable[Record], password: str = "") -> None:
        self.events: list[Event] = []
        self.password = password
        self.cast = Cast()
        self._frames: list[tuple[Frame, list[Fate]]] = []
        self._addresses: dict[str, set[Address]] = {}
        for record in records:
            self.cast.add(record)
            match record:
                case Frame():
                    self._frames.append((record, []))
                    self._addresses.setdefault(record.sender, set()).add(record.source)
                case Fate() if self._frames:
                    self._frames[-1][1].append(record)
                case Happened():
                    self.events.append({**record.event, "at_us": record.at_us})

    # Who.

    def peer_of(self, event: Event) -> str:
        """The actor whom the event calls its peer; the peer's own word where no actor is known for it."""
        peer = str(event.get("peer") or "")
        return self.cast.owner(_octets(peer)) or self._at_endpoint(peer) or peer

    def _at_endpoint(self, name: str) -> str | None:
        """Who has sent from an endpoint of this name, such as `192.0.2.1:49153`."""
        for actor, addresses in self._addresses.items():
            if any(isinstance(each, Endpoint) and peer_name(each) == name for each in addresses):
                return actor
        return None

    def services(self) -> list[str]:
        """The names of services that events speak of."""
        return list(self.cast.services.values())

    # Frames.

    def heard(self, actor: str, until_us: Micros) -> Iterator[Telling]:
        """The frames for this actor that were sent up to a moment, the last first."""
        own = self._addresses.get(actor, set())
        for frame, fates in self._backwards(until_us):
            if frame.sender != actor and (frame.to in own or _is_group(frame.to)):
                yield self._telling(frame, fates, actor)

    def sent(self, actor: str, until_us: Micros) -> Iterator[Telling]:
        """The frames of this actor up to a moment, the last first, each as its receiver got it."""
        for frame, fates in self._backwards(until_us):
            if frame.sender == actor:
                yield self._telling(frame, fates, self.cast.owner(frame.to) or "")

    def last_heard(self, actor: str, peer: str, until_us: Micros, fits: Callable[[bytes], bool]) -> Telling | None:
        """The last frame from that peer to that actor that fits."""
        return next(
            (each for each in self.heard(actor, until_us) if each.frame.sender == peer and fits(each.payload)), None
        )

    def lost(self, one: str, other: str, until_us: Micros, since_us: Micros = 0) -> list[Telling]:
        """The frames between two that never arrived, the first first."""
        both = {one, other}
        return [
            self._telling(frame, fates, receiver)
            for frame, fates in self._frames
            if since_us <= frame.at_us <= until_us and frame.sender in both
            for receiver in both - {frame.sender}
            if any(fate.receiver == receiver and not fate.arrivals for fate in fates)
        ]

    def _backwards(self, until_us: Micros) -> Iterator[tuple[Frame, list[Fate]]]:
        """The frames sent up to a moment, the last first; a transcript has them in order of time."""
        end = bisect_right(self._frames, until_us, key=lambda each: each[0].at_us)
        return reversed(self._frames[max(0, end - LOOK_BACK) : end])

    def _telling(self, frame: Frame, fates: list[Fate], receiver: str) -> Telling:
        fate = next((each for each in fates if each.receiver == receiver), None)
        arrived: bytes | None = frame.payload
        if fate is not None:
            payloads = fate.payloads if fate.payloads is not None else (frame.payload,)
            arrived = payloads[0] if fate.arrivals else None
        return Telling(frame, receiver, arrived, self.cast.services)

    # Events.

    def before(self, event: Event, *types: str, actor: str | None = None) -> Iterator[Event]:
        """Earlier events of these types, the last first."""
        for each in reversed(self.events):
            if each["id"] < event["id"] and each["type"] in types and actor in (None, each["actor"]):
                yield each

    def near(self, event: Event, *types: str, actor: str, within_us: Micros) -> Iterator[Event]:
        """Events of an actor of these types around the event, whichever came first."""
        for each in self.events:
            is_near = abs(each["at_us"] - event["at_us"]) <= within_us
            if is_near and each["type"] in types and each["actor"] == actor and each["id"] != event["id"]:
                yield each

    def event(self, event_id: int) -> Event | None:
        """The event of that number."""
        return next((each for each in self.events if each["id"] == event_id), None)


def values_of(event: Event, member: str = "intermediates", part: str = "") -> Values:
    """Named octets in a secret member; empty where the transcript holds none."""
    found = event.get(member)
    if part and isinstance(found, Mapping):
        found = found.get(part)
    if not isinstance(found, Mapping):
        return {}
    return {str(name): octets for name, text in found.items() if (octets := octets_of(text)) is not None}


def octets_of(text: object) -> bytes | None:
    """The octets that hex text names; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _octets(peer: str) -> Address:
    octets = octets_of(peer.replace(":", ""))
    return octets if octets is not None and len(octets) == 6 else peer


def _is_group(address: Address) -> bool:
    return isinstance(address, bytes) and len(address) == 6 and bool(address[0] & 1)


def text_of(event: Event, member: str) -> str:
    """A member as text; empty where it is none."""
    found = event.get(member)
    return found if isinstance(found, str) else ""


def number_of(event: Event, member: str) -> int:
    """A member as a number; 0 where it is none."""
    found = event.get(member)
    return found if isinstance(found, int) else 0

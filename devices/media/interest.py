"""What a port on the air would accept of what is meant for all, in a form that can be looked up instead of asked.

With a thousand publishers in the air, a Subscribe for one service is handed to those who publish it and nobody else is
touched. A frame to a port's own address needs no interest.
Source: Wi-Fi Aware specification 4.0, sections 9.1 (frames) and 9.5.3 (Service Descriptor).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeAlias, TypeVar

from devices.transports.mac_header import HEADER_LENGTH, MacHeader

MemberT = TypeVar("MemberT")


class _ServiceKind(IntEnum):
    """The two low bits of Service Control."""

    PUBLISH = 0
    SUBSCRIBE = 1
    FOLLOW_UP = 2


Topic: TypeAlias = tuple[int, bytes]
"""What one Service Descriptor is about: its kind and its service ID."""

_SDF = bytes.fromhex("09506f9a13")
_PUBLIC, _PROTECTED_DUAL = 0x04, 0x09
_ACTION = 0xD0
_PROTECTED_FLAG = 0x40
_SERVICE_DESCRIPTOR = 0x03
_CONTROL_AT = 8


@dataclass(frozen=True, slots=True)
class Interest:
    """Which group-addressed frames a port accepts. None = whatever it says; the default accepts them all.

    `publishes` and `subscribes` look at Service Discovery Frames alone: as soon as one of them is given, a port hears
    Subscribe of what it publishes, Publish of what it subscribes to, and Follow-up of both.
    """

    groups: frozenset[bytes] | None = None
    """Receiver addresses (A1), such as the NAN network ID."""
    clusters: frozenset[bytes] | None = None
    """Cluster IDs (A3); unsynchronised discovery puts the NAN network ID there."""
    publishes: frozenset[bytes] | None = None
    subscribes: frozenset[bytes] | None = None

    @property
    def topics(self) -> Sequence[Topic] | None:
        """What it wants to hear of Service Discovery; None = all."""
        if self.publishes is None and self.subscribes is None:
            return None
        publishes, subscribes = self.publishes or frozenset(), self.subscribes or frozenset()
        return [
            *((_ServiceKind.SUBSCRIBE, service) for service in sorted(publishes)),
            *((_ServiceKind.PUBLISH, service) for service in sorted(subscribes)),
            *((_ServiceKind.FOLLOW_UP, service) for service in sorted(publishes | subscribes)),
        ]


EVERYTHING = Interest()


def topics_of(frame: bytes) -> Sequence[Topic]:
    """The topics of a Service Discovery Frame; none for other frames, encrypted ones, and those that do not parse."""
    if frame[0] != _ACTION or frame[1] & _PROTECTED_FLAG or frame[HEADER_LENGTH + 1 : HEADER_LENGTH + 6] != _SDF:
        return ()
    if frame[HEADER_LENGTH] not in (_PUBLIC, _PROTECTED_DUAL):
        return ()
    topics: dict[Topic, None] = {}
    offset, end = HEADER_LENGTH + 6, len(frame)
    while offset < end:
        body = offset + 3
        following = body + int.from_bytes(frame[offset + 1 : body], "little")
        if body > end or following > end:
            return ()
        if frame[offset] == _SERVICE_DESCRIPTOR and following > body + _CONTROL_AT:
            topics[frame[body + _CONTROL_AT] & 3, frame[body : body + 6]] = None
        offset = following
    return tuple(topics)


_ALL: Topic = (-1, b"all")
_NO_DISCOVERY: Topic = (-1, b"other")
_Key: TypeAlias = tuple[bytes | None, bytes | None, Topic]


class Audience(Generic[MemberT]):
    """An index of members by interest. A look-up costs what it finds, however many members there are."""

    def __init__(self) -> None:
        self._places: dict[_Key, dict[int, MemberT]] = {}

    def add(self, number: int, member: MemberT, interest: Interest) -> None:
        """Members are found in the order of their numbers."""
        for key in _keys(interest):
            self._places.setdefault(key, {})[number] = member

    def remove(self, number: int, interest: Interest) -> None:
        """Take a member out, with the interest under which it was added."""
        for key in _keys(interest):
            place = self._places[key]
            del place[number]
            if not place:
                del self._places[key]

    def of(self, header: MacHeader, frame: bytes) -> Iterable[MemberT]:
        """Those who accept a group-addressed frame, each once."""
        topics = topics_of(frame)
        wanted = (*topics, _ALL) if topics else (_NO_DISCOVERY,)
        found: list[Mapping[int, MemberT]] = []
        for group in (header.receiver, None):
            for cluster in (header.bssid, None):
                for topic in wanted:
                    place = self._places.get((group, cluster, topic))
                    if place:
                        found.append(place)
        merged = {number: member for place in found for number, member in place.items()}
        return [merged[number] for number in sorted(merged)]


def _keys(interest: Interest) -> Iterable[_Key]:
    topics = interest.topics
    wanted = (_NO_DISCOVERY, _ALL) if topics is None else (_NO_DISCOVERY, *topics)
    groups: Iterable[bytes | None] = (None,) if interest.groups is None else interest.groups
    clusters: Iterable[bytes | None] = (None,) if interest.clusters is None else interest.clusters
    return [(group, cluster, topic) for group in groups for cluster in clusters for topic in wanted]

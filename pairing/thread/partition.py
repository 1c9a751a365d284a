"""A partition of a mesh: what its members agree on because the Leader tells it to all of them, and who they are.

Held by every `Network` that is part of it; entered and left through `Network` alone. How word gets around, and who
hears whom, is the mesh's business. Thread specification, chapter 5.16 (partitions), 5.9 (router ids); the register of
Commissioners is the Leader's (8.7). What outranks what as OpenThread compares partitions.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Generic, NamedTuple, Protocol, TypeVar

from pairing.engine import SECOND, Micros
from pairing.errors import LocalProtocolError
from pairing.thread.dataset import Dataset
from pairing.thread.node import MAX_ROUTER_ID, LeaderData
from pairing.thread.petition import CommissionerRegister

ROUTER_UPGRADE_THRESHOLD = 16
"""With so many routers nobody asks to become one any more."""
MAX_ROUTERS = 32
NETWORK_ID_TIMEOUT: Micros = 120 * SECOND
"""So long after the Leader's last word a router gives the partition up."""
CHILD_TIMEOUT: Micros = 240 * SECOND
"""So long after a child's last word its parent forgets it."""


class Member(Protocol):
    """What a partition asks of those who are part of it."""

    @property
    def ext_address(self) -> bytes:
        """Eight bytes, another one for each member."""

    @property
    def is_border_router(self) -> bool:
        """Whether it is a border router."""


MemberT = TypeVar("MemberT", bound=Member)


class Rank(NamedTuple):
    """What of two partitions of one network decides which goes on: the greater one does."""

    has_leader: bool
    is_larger_than_one: bool
    weighting: int
    partition_id: int


class Partition(Generic[MemberT]):
    """One partition. `leader_data.leader_router_id` is taken from the beginning, by whom it names."""

    def __init__(
        self, leader_data: LeaderData, *, leader: bytes = b"", register: CommissionerRegister | None = None
    ) -> None:
        self.leader_data = leader_data
        self.leader = leader
        """The Leader's extended address; also while it is out of reach."""
        self.register = CommissionerRegister(0) if register is None else register
        self._members: dict[bytes, MemberT] = {}
        self._routers: dict[int, bytes] = {leader_data.leader_router_id: leader}

    @property
    def members(self) -> tuple[MemberT, ...]:
        """Everyone, in the order they came."""
        return tuple(self._members.values())

    @property
    def routers(self) -> Mapping[int, bytes]:
        """Extended addresses of the routers and the Leader by router id."""
        return MappingProxyType(self._routers)

    @property
    def has_leader(self) -> bool:
        """Whether the Leader has not been given up."""
        return self.leader in self._members

    @property
    def rank(self) -> Rank:
        """Its place among partitions of the same network."""
        data = self.leader_data
        return Rank(self.has_leader, len(self._members) > 1, data.weighting, data.partition_id)

    @property
    def first_border_router(self) -> MemberT | None:
        """The border router that came first: primary backbone router, and its OMR prefix is the one that is used."""
        return next((each for each in self._members.values() if each.is_border_router), None)

    def member(self, ext_address: bytes) -> MemberT | None:
        """Who has this address."""
        return self._members.get(ext_address)

    def give_router_id(self, ext_address: bytes, wanted: int) -> int:
        """A router id for this member: the one it wants if that is free or its own, else the next free one."""
        if len(self._routers) >= MAX_ROUTERS and self._routers.get(wanted) != ext_address:
            raise LocalProtocolError(f"the partition has {MAX_ROUTERS} routers, no id is left")
        number = wanted
        while self._routers.get(number, ext_address) != ext_address:
            number = (number + 1) % (MAX_ROUTER_ID + 1)
        for taken in [each for each, holder in self._routers.items() if holder == ext_address and each != number]:
            del self._routers[taken]
        self._routers[number] = ext_address
        return number

    def enter(self, member: MemberT) -> None:
        """A member comes, or comes back."""
        self._members[member.ext_address] = member
        self._count_version(member)

    def leave(self, ext_address: bytes) -> None:
        """A member has gone for good; its router id is free, the Leader's is not."""
        member = self._members.pop(ext_address, None)
        for number in [each for each, holder in self._routers.items() if holder == ext_address]:
            if ext_address != self.leader:
                del self._routers[number]
        if member is not None:
            self._count_version(member)

    def _count_version(self, member: MemberT) -> None:
        """Border routers stand in the network data, so these have another version."""
        if member.is_border_router and len(self._members) > 1:
            data = self.leader_data
            self.leader_data = replace(
                data,
                data_version=(data.data_version + 1) & 0xFF,
                stable_data_version=(data.stable_data_version + 1) & 0xFF,
            )


class MeshIdentity(NamedTuple):
    """What nodes must have in common to hear each other, apart from the network key itself."""

    channel: tuple[int, int] | None
    pan_id: int | None
    ext_pan_id: bytes | None
    mesh_local_prefix: bytes | None

    @classmethod
    def of(cls, dataset: Dataset) -> "MeshIdentity":
        """As the Active Dataset has it."""
        channel = dataset.channel
        return cls(
            None if channel is None else (channel.page, channel.channel),
            dataset.pan_id,
            dataset.ext_pan_id,
            dataset.mesh_local_prefix,
        )

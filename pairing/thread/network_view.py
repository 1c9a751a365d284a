"""What one can read of a `Network`: identity, role, datasets, the state bitmap, commissioning, children, counters.

Only the fields and their readings; what changes them is `network`. Thread specification, chapters 4, 5 and 8.
"""

import dataclasses
from collections.abc import Iterable

from pairing.engine import MILLISECOND, Entropy, Micros
from pairing.thread.commissioning import Commissioning
from pairing.thread.dataset import Dataset
from pairing.thread.diagnostics import MacCounters, MleCounters, ThreadChild
from pairing.thread.ephemeral_key import EphemeralKey
from pairing.thread.node import (
    DEFAULT_EXT_PAN_ID,
    DEFAULT_MESH_LOCAL_PREFIX,
    DEFAULT_NETWORK_NAME,
    INVALID_RLOC16,
    MAX_CHILD_ID,
    NO_LEADER_DATA,
    LeaderData,
    NetworkConfig,
    NodeIdentity,
    Role,
)
from pairing.thread.partition import Partition
from pairing.thread.state_bitmap import ConnectionMode, InterfaceStatus, StateBitmap, ThreadRole
from pairing.thread.tlvs import MeshCopTlvType, Tlv


class NetworkView:
    """The readable side of a node. Made as a `Network`."""

    def __init__(
        self,
        config: NetworkConfig,
        entropy: Entropy,
        *,
        identity: NodeIdentity | None = None,
        active_dataset: Dataset | None = None,
        children: Iterable[ThreadChild] = (),
    ) -> None:
        self.config = config
        self._entropy = entropy
        self._identity = identity or NodeIdentity.draw(entropy)
        self._omr_prefix = config.omr_prefix or b"\xfd" + entropy(7)
        self._active = active_dataset
        self._pending: Dataset | None = None
        self._pending_at: Micros | None = None
        self._role = Role.DISABLED
        self._attach_at: Micros | None = None
        self._partition: Partition[NetworkView] | None = None
        self._shares_mesh = False
        self._attempts = 0
        self._rloc16 = INVALID_RLOC16
        self._router_count = 0
        self._backbone_router = config.backbone_router
        self._backbone_sequence = entropy(1)[0]
        self._ephemeral_key = EphemeralKey(enabled=config.ephemeral_key)
        self._commissioning = Commissioning(
            session_counter=int.from_bytes(entropy(2), "big"),
            petition_time=config.petition,
            max_joiners=config.max_joiners,
        )
        self._children: dict[bytes, ThreadChild] = {}
        self._mac_counters = MacCounters()
        self._mle_counters = MleCounters()
        for child in children:
            self._place(child)

    # What it is

    @property
    def identity(self) -> NodeIdentity:
        """Border agent id, extended address and mesh-local interface id."""
        return self._identity

    @property
    def border_agent_id(self) -> bytes:
        """16 bytes, TXT `id`; another one after each factory reset."""
        return self._identity.border_agent_id

    @property
    def ext_address(self) -> bytes:
        """8 bytes, TXT `xa`; another one after each factory reset."""
        return self._identity.ext_address

    @property
    def is_border_router(self) -> bool:
        """Whether it has a border agent, an OMR prefix and a backbone."""
        return self.config.border_router

    @property
    def omr_prefix(self) -> bytes:
        """First 8 bytes of the off-mesh routable prefix, a /64: the one that the partition uses, or its own."""
        first = None if self._partition is None else self._partition.first_border_router
        return self._omr_prefix if first is None else first._omr_prefix

    # What it does

    @property
    def role(self) -> Role:
        """The role in the mesh."""
        return self._role

    @property
    def enabled(self) -> bool:
        """Whether Thread is switched on."""
        return self._role is not Role.DISABLED

    @property
    def attached(self) -> bool:
        """Whether the node is part of a partition."""
        return self._role.is_attached

    @property
    def rloc16(self) -> int:
        """The short address; kept from the last attachment, 0xfffe before the first."""
        return self._rloc16

    @property
    def router_id(self) -> int | None:
        """The router id in `rloc16`, None if that is not a router's."""
        return self._rloc16 >> 10 if self._rloc16 & 0x3FF == 0 else None

    @property
    def router_count(self) -> int:
        """Routers in the partition, this one included; kept like `rloc16`."""
        return self._router_count if self._partition is None else len(self._partition.routers)

    @property
    def partition(self) -> "Partition[NetworkView] | None":
        """What the node is part of."""
        return self._partition

    @property
    def other_members(self) -> "tuple[NetworkView, ...]":
        """Everyone else in the partition, in the order they came."""
        members = () if self._partition is None else self._partition.members
        return tuple(each for each in members if each is not self)

    @property
    def leader_data(self) -> LeaderData:
        """Of the partition; zeros while detached."""
        return NO_LEADER_DATA if self._partition is None else self._partition.leader_data

    @property
    def partition_id(self) -> int | None:
        """The partition, None while detached."""
        return None if self._partition is None else self._partition.leader_data.partition_id

    # Its network

    @property
    def active_dataset(self) -> Dataset | None:
        """The Active Operational Dataset."""
        return self._active

    def pending_dataset(self, now: Micros) -> Dataset | None:
        """The Pending Operational Dataset with the delay that is left, in its place."""
        if self._pending is None or self._pending_at is None:
            return self._pending
        left = max(0, self._pending_at - now) // MILLISECOND
        delay = Tlv(MeshCopTlvType.DELAY_TIMER, left.to_bytes(4, "big"))
        return Dataset.from_tlvs(delay if tlv.type == delay.type else tlv for tlv in self._pending.tlvs)

    @property
    def network_name(self) -> str:
        """Of the active dataset, or the default of a factory-fresh node."""
        name = self._active.network_name if self._active else None
        return DEFAULT_NETWORK_NAME if name is None else name

    @property
    def ext_pan_id(self) -> bytes:
        """Of the active dataset, or the default of a factory-fresh node."""
        return (self._active.ext_pan_id if self._active else None) or DEFAULT_EXT_PAN_ID

    @property
    def mesh_local_prefix(self) -> bytes:
        """First 8 bytes; of the active dataset, or the default of a factory-fresh node."""
        return (self._active.mesh_local_prefix if self._active else None) or DEFAULT_MESH_LOCAL_PREFIX

    def rloc_address(self, rloc16: int | None = None) -> bytes:
        """The 16 bytes of the routing locator address, of this node unless another short address is given."""
        short = self._rloc16 if rloc16 is None else rloc16
        return self.mesh_local_prefix + bytes.fromhex("000000fffe00") + short.to_bytes(2, "big")

    # Its border agent

    @property
    def backbone_router(self) -> bool:
        """Whether the backbone router function is switched on; it is in force while attached."""
        return self._backbone_router

    @property
    def backbone_router_sequence(self) -> int:
        """TXT `sq`."""
        return self._backbone_sequence

    @property
    def is_primary_backbone_router(self) -> bool:
        """Whether it has the function, and nobody in the partition had it before."""
        members = () if self._partition is None else self._partition.members
        first = next((each for each in members if each.is_border_router and each.backbone_router), self)
        return self._backbone_router and first is self

    @property
    def state_bitmap(self) -> StateBitmap:
        """TXT `sb` as it is now."""
        attached = self.attached
        roles = {Role.CHILD: ThreadRole.CHILD, Role.ROUTER: ThreadRole.ROUTER, Role.LEADER: ThreadRole.LEADER}
        interface = InterfaceStatus.INITIALISED if self.enabled else InterfaceStatus.NOT_INITIALISED
        return StateBitmap(
            connection_mode=ConnectionMode.PSKC if attached else ConnectionMode.DISABLED,
            interface_status=InterfaceStatus.ACTIVE if attached else interface,
            availability=self.config.availability,
            bbr_active=attached and self._backbone_router,
            bbr_primary=attached and self.is_primary_backbone_router,
            role=roles.get(self._role, ThreadRole.DISABLED_OR_DETACHED),
            ephemeral_key_supported=self._ephemeral_key.enabled,
            multi_ail=self.config.multi_ail,
            admitter_supported=self.config.admitter,
        )

    @property
    def ephemeral_key(self) -> EphemeralKey:
        """The ephemeral key: its state, and what its DTLS server reports. Opening one goes through `Network`."""
        return self._ephemeral_key

    @property
    def commissioning(self) -> Commissioning:
        """Active and built-in commissioner and the joiner table. Starting and petitioning go through `Network`."""
        return self._commissioning

    # What it counts, and who hangs on it

    @property
    def children(self) -> tuple[ThreadChild, ...]:
        """Devices attached to this router, in the order they came."""
        return tuple(self._children.values())

    @property
    def mac_counters(self) -> MacCounters:
        """Packet counters since the last reset."""
        return self._mac_counters

    @property
    def mle_counters(self) -> MleCounters:
        """Role counters since the last reset."""
        return self._mle_counters

    def child_rloc16(self, child: ThreadChild) -> int:
        """The short address of a child: this router's id and the child's."""
        return self._rloc16 & 0xFC00 | child.child_id

    def _place(self, child: ThreadChild) -> ThreadChild:
        """Enter a child, with the id it has or had, or the lowest free one."""
        known = self._children.get(child.ext_address)
        child_id = child.child_id or (known.child_id if known else 0)
        if not child_id:
            taken = {each.child_id for each in self._children.values()}
            child_id = next(number for number in range(1, MAX_CHILD_ID + 1) if number not in taken)
        placed = dataclasses.replace(child, child_id=child_id)
        self._children[child.ext_address] = placed
        return placed

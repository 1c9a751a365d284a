"""What a Thread node is made of: its roles and the table of moves between them, configuration, identity, leader data.

The records and the law; `network` obeys them. Thread specification, chapters 4 (roles) and 5 (partitions); defaults as
measured from OpenThread.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from pairing.engine import MILLISECOND, SECOND, Entropy, Micros
from pairing.thread.state_bitmap import Availability, MultiAil

INVALID_RLOC16 = 0xFFFE
DEFAULT_NETWORK_NAME = "OpenThread"
DEFAULT_EXT_PAN_ID = bytes.fromhex("dead00beef00cafe")
DEFAULT_MESH_LOCAL_PREFIX = bytes.fromhex("fddead00beef0000")
MAX_DELAY: Micros = 72 * 3600 * SECOND
LEADER_WEIGHT = 64
MAX_ROUTER_ID = 62
MAX_CHILD_ID = 511


class Role(enum.StrEnum):
    """The node's part in the mesh, in the words of the REST API."""

    DISABLED = "disabled"
    DETACHED = "detached"
    CHILD = "child"
    ROUTER = "router"
    LEADER = "leader"

    @property
    def is_attached(self) -> bool:
        """Whether the node is part of a partition."""
        return self in (Role.CHILD, Role.ROUTER, Role.LEADER)


class RoleInput(enum.Enum):
    """What moves a node from role to role."""

    ENABLE = "enable"
    DISABLE = "disable"
    LEAD = "lead"
    JOIN_AS_ROUTER = "join as router"
    JOIN_AS_CHILD = "join as child"
    LOSE = "lose the partition"


_ATTACHED = (Role.CHILD, Role.ROUTER, Role.LEADER)
ROLE_TABLE: Mapping[tuple[Role, RoleInput], Role] = {
    (Role.DISABLED, RoleInput.ENABLE): Role.DETACHED,
    (Role.DISABLED, RoleInput.DISABLE): Role.DISABLED,
    (Role.DETACHED, RoleInput.ENABLE): Role.DETACHED,
    (Role.DETACHED, RoleInput.DISABLE): Role.DISABLED,
    (Role.DETACHED, RoleInput.LEAD): Role.LEADER,
    (Role.DETACHED, RoleInput.JOIN_AS_ROUTER): Role.ROUTER,
    (Role.DETACHED, RoleInput.JOIN_AS_CHILD): Role.CHILD,
    # An enabled node that is enabled again starts attaching afresh.
    **{(role, RoleInput.ENABLE): Role.DETACHED for role in _ATTACHED},
    **{(role, RoleInput.DISABLE): Role.DISABLED for role in _ATTACHED},
    **{(role, RoleInput.LEAD): Role.LEADER for role in _ATTACHED},
    **{(role, RoleInput.JOIN_AS_ROUTER): Role.ROUTER for role in _ATTACHED},
    **{(role, RoleInput.JOIN_AS_CHILD): Role.CHILD for role in _ATTACHED},
    **{(role, RoleInput.LOSE): Role.DETACHED for role in _ATTACHED},
}
"""Every legal move between roles; anything else raises LocalProtocolError and changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """What a node is made like. It does not change while the node lives, and is not part of its stored state."""

    attach: Micros = 7 * SECOND
    """From enabling, with a dataset, to being leader."""
    petition: Micros = 100 * MILLISECOND
    """What the built-in commissioner takes to become active."""
    border_router: bool = True
    """Whether it is one: with a border agent, an OMR prefix and a backbone."""
    router_eligible: bool = True
    """Whether it may become router and Leader; an end device cannot."""
    backbone_router: bool = True
    """Whether the backbone router function is on at first."""
    ephemeral_key: bool = True
    """Whether credential sharing by ephemeral key exists and is switched on at first."""
    multi_ail: MultiAil = MultiAil.NOT_DETECTED
    availability: Availability = Availability.HIGH
    admitter: bool = False
    max_joiners: int = 4
    thread_version: str = "1.4.0"
    domain_name: str = "DefaultDomain"
    vendor_name: str = ""
    vendor_model: str = ""
    vendor_sw_version: str = ""
    stack_version: str = "OPENTHREAD/pairlab; POSIX"
    coprocessor_version: str = "OPENTHREAD/pairlab; SIMULATION"
    omr_prefix: bytes | None = None
    """Eight bytes of the off-mesh routable prefix; drawn if not given."""


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """What tells one node from another until its next factory reset."""

    border_agent_id: bytes
    ext_address: bytes
    mesh_local_iid: bytes

    @classmethod
    def draw(cls, entropy: Entropy) -> "NodeIdentity":
        """A fresh identity. Extended addresses are locally administered and not for a group."""
        border_agent_id, ext_address, iid = entropy(16), entropy(8), entropy(8)
        return cls(border_agent_id, bytes((ext_address[0] & 0xFE | 0x02,)) + ext_address[1:], iid)


@dataclass(frozen=True, slots=True)
class LeaderData:
    """What a partition's leader says of it."""

    partition_id: int
    weighting: int
    data_version: int
    stable_data_version: int
    leader_router_id: int


NO_LEADER_DATA = LeaderData(0, 0, 0, 0, 0)

LEADER_ALOC = 0xFC00
COMMISSIONER_ALOC = 0xFC30


def commissioner_aloc(session_id: int) -> int:
    """The anycast locator of the Commissioner with this session id."""
    return COMMISSIONER_ALOC + (session_id & 7)

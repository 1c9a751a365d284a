"""Facts of one Thread network: what REST, Bonjour, MeshCoP and tests learn from the `Network` model.

Nothing here decides anything; the engines of this package give these events. Codes, PSKds and datasets with their keys
are secret fields, left out of every text form.
"""

from dataclasses import dataclass, field

from pairing.engine import Event, Micros

_SECRET = {"secret": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChanged(Event):
    """The node was reset to factory state and drew a new border agent id and extended address."""

    border_agent_id: bytes
    ext_address: bytes
    was_border_agent_id: bytes
    was_ext_address: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(Event):
    """The node's role in the mesh; `partition_id` and `rloc16` are those it has from now on, None while detached."""

    role: str
    was: str
    partition_id: int | None = None
    rloc16: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentRequested(Event):
    """The node looks for its network: a router in reach lets it in, or it leads a partition of its own."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionChanged(Event):
    """The node stays attached, but in another partition."""

    partition_id: int
    was: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneRouterChanged(Event):
    """The backbone router function was switched, or its sequence number went on."""

    enabled: bool
    sequence_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetChanged(Event):
    """The Active (`kind="active"`) or Pending (`"pending"`) Operational Dataset is another one, or gone.

    `cause` says by whom: `operator`, `commissioner`, `device`, `delay-timer`, `leader`,
    `joiner` (what JOIN_ENT held), `mesh` (a neighbour had a newer one), `factory-reset`.
    `seconds` are of its own timestamp.
    """

    kind: str
    cause: str
    network_name: str | None = None
    ext_pan_id: bytes | None = None
    channel: int | None = None
    seconds: int | None = None
    delay_ms: int | None = None
    tlvs: bytes | None = field(default=None, repr=False, metadata=_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralKeySwitched(Event):
    """Credential sharing by ephemeral key was allowed or forbidden as a whole."""

    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralKeyActivated(Event):
    """A one-time code is open for use on `port` until its lifetime ends."""

    port: int
    lifetime: Micros
    code: str = field(repr=False, metadata=_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralKeyConnected(Event):
    """A peer has proved that it knows the code; the key serves nobody else from now on."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralKeyUsed(Event):
    """The session that the code opened has ended; a code is good for one session."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralKeyExpired(Event):
    """The lifetime ran out; a session that was open is cut off."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralKeyDeactivated(Event):
    """The code was withdrawn: by its owner, by a factory reset, or after too many failed attempts."""

    port: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PetitionAccepted(Event):
    """A Commissioner is now the active one of this network."""

    commissioner_id: str
    session_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PetitionRejected(Event):
    """A Commissioner asked while `holder` is active (None: for another reason, which `reason` names)."""

    commissioner_id: str
    holder: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionerLost(Event):
    """The active Commissioner is no longer one: `timeout`, `resigned`, `superseded`, `detached` or `factory-reset`.

    To the Commissioner itself also `disconnected`, and `closed` by its own hand.
    """

    commissioner_id: str
    session_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerEnabled(Event):
    """A Joiner may join: `joiner` is an EUI-64 in hex, a discerner as `0xabc/12`, or `*` for any."""

    joiner: str
    timeout: Micros
    pskd: str = field(repr=False, metadata=_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerConnected(Event):
    """A Joiner proved its PSKd and speaks with the Commissioner."""

    joiner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerFinalized(Event):
    """The Commissioner answered a Joiner's JOIN_FIN."""

    joiner: str
    accepted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerRemoved(Event):
    """A Joiner may no longer join: `removed`, `expired`, `joined` or `commissioner-stopped`."""

    joiner: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildAttached(Event):
    """A Thread device is now attached to this router."""

    ext_address: bytes
    rloc16: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildDetached(Event):
    """A Thread device has left this router."""

    ext_address: bytes

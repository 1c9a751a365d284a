"""What the engines of Wi-Fi Aware report. PeerDiscovered and PeerLost are `pairing.engine`'s.

`peer` is the peer's NMI as text. Instance IDs: `instance_id` is ours, `peer_instance_id` the peer's.
"""

from dataclasses import dataclass, field

from pairing.engine import Event, Micros
from pairing.nan.attributes import BootstrappingMethods


@dataclass(frozen=True, slots=True, kw_only=True)
class NanSessionEvent(Event):
    """News of one of our publish or subscribe sessions."""

    service: str
    instance_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishStarted(NanSessionEvent):
    """A publish session runs."""

    service_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribeStarted(NanSessionEvent):
    """A subscribe session runs."""

    service_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdated(NanSessionEvent):
    """A session goes on with another configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTerminated(NanSessionEvent):
    """A session has ended."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberAnswered(NanSessionEvent):
    """A solicited publish answered a peer's subscribe."""

    peer_instance_id: int
    service_info: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerUpdated(NanSessionEvent):
    """A publisher that we know says something new of itself; `changed` names the fields."""

    peer_instance_id: int
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpReceived(NanSessionEvent):
    """A peer's follow-up for one of our sessions, with the application's octets if it has any."""

    peer_instance_id: int
    service_info: bytes = field(default=b"", repr=False)
    is_protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEvent(Event):
    """News of the cluster; `cluster_id` as text."""

    cluster_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStarted(ClusterEvent):
    """No cluster was heard, so the device has begun its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterJoined(ClusterEvent):
    """The device has taken over the clock of a cluster that it heard."""

    tsf_offset: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRoleChanged(ClusterEvent):
    """The device's role in its cluster is another; `reason` has the beacons that decided."""

    old_role: str
    role: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorMasterChanged(ClusterEvent):
    """The cluster's anchor master, as this device sees it, is another."""

    old_rank: int
    rank: int
    hop_count: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterRankChanged(ClusterEvent):
    """The device drew a new random factor, or its warm-up is over."""

    preference: int
    random_factor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryWindowStarted(ClusterEvent):
    """A discovery window in which the device is awake has begun."""

    tsf: Micros
    index: int
    """0 to 15, counted from DW0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappingEvent(Event):
    """News of one bootstrapping exchange; methods are from this device's point of view."""

    service: str
    instance_id: int
    peer_instance_id: int
    dialog_token: int
    method: BootstrappingMethods


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappingStarted(BootstrappingEvent):
    """Our first request is out."""

    requested: BootstrappingMethods
    """The bit on the air, which a platform may take from the peer's point of view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappingRequested(BootstrappingEvent):
    """A peer wants to pair and its request waits for our user: `accept` or `reject`."""

    requested: BootstrappingMethods


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappingDeferred(BootstrappingEvent):
    """The peer asked us to come back later; `count` is the number of times so far."""

    comeback_after: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappingCompleted(BootstrappingEvent):
    """Both agree on the method; the secret may now be exchanged and PASN begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappingFailed(BootstrappingEvent):
    """There is no agreement. `error` is the class of `pairing.errors` that this failure is."""

    error: str
    rule: str
    expected: str
    came: str
    reason: int | None = None
    """The peer's reason code, if it gave one."""
    hint: str = ""
    """The known mistake that produces exactly this, if there is one."""

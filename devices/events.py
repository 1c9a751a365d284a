"""The vocabulary: every event class of the project, importable from here, and the words platforms have for them.

Engines define what they emit; the events below are those of the devices around them.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from devices.ble_events import (
    Advertised,
    BondForgotten,
    CharacteristicNotified,
    CharacteristicRead,
    CharacteristicRefused,
    CharacteristicWritten,
    Connected,
    Disconnected,
    Hidden,
    Subscribed,
    Unsubscribed,
)
from devices.fault_events import FaultEnded, FaultFired, FaultStarted
from devices.platform_names import PLATFORM_NAMES, platform_names
from devices.service_events import (
    AnswerReceived,
    ConnectingFailed,
    PeerReturned,
    PeerSilent,
    PushReceived,
    PushSent,
    TlsHandshakeCompleted,
    TlsHandshakeFailed,
)
from pairing.dtls.events import (
    AlertReceived,
    AlertSent,
    ConnectionClosed,
    FlightRepeated,
    HandshakeCompleted,
    HandshakeFailed,
    HandshakeStarted,
)
from pairing.engine import Event, FrameIgnored, PeerDiscovered, PeerLost
from pairing.nan.data_path_events import (
    DataPathClosed,
    DataPathFailed,
    DataPathOpened,
    DataPathRequested,
    DataPathStarted,
)
from pairing.nan.events import (
    BootstrappingCompleted,
    BootstrappingDeferred,
    BootstrappingFailed,
    BootstrappingRequested,
    BootstrappingStarted,
    FollowUpReceived,
    PeerUpdated,
    PublishStarted,
    SessionTerminated,
    SessionUpdated,
    SubscriberAnswered,
    SubscribeStarted,
)
from pairing.nan.pairing_events import (
    PairingAttemptsExhausted,
    PairingCompleted,
    PairingFailed,
    PairingRequested,
    PairingStarted,
    PairingVerified,
    PeerRecognised,
    PeerRemoved,
)
from pairing.thread.meshcop_events import (
    CommandReceived,
    CommissionerDatasetChanged,
    CommissionerDatasetReceived,
    CredentialsFetched,
    DatasetChangeNotified,
    DatasetReceived,
    DatasetSetRefused,
    FetchFailed,
    JoinerDiscovered,
    JoinerEntrusted,
    JoinerRouterFound,
    JoinFinReceived,
    JoiningFailed,
    KeepAliveAnswered,
    RequestFailed,
    SetAnswered,
)
from pairing.thread.network_events import (
    BackboneRouterChanged,
    ChildAttached,
    ChildDetached,
    CommissionerLost,
    DatasetChanged,
    EphemeralKeyActivated,
    EphemeralKeyConnected,
    EphemeralKeyDeactivated,
    EphemeralKeyExpired,
    EphemeralKeySwitched,
    EphemeralKeyUsed,
    IdentityChanged,
    JoinerConnected,
    JoinerEnabled,
    JoinerFinalized,
    JoinerRemoved,
    ParentRequested,
    PartitionChanged,
    PetitionAccepted,
    PetitionRejected,
    RoleChanged,
)
from pairing.thread.tcat.events import (
    TcatAdvertChanged,
    TcatAdvertStarted,
    TcatAdvertStopped,
    TcatAnswerReceived,
    TcatApplicationDataReceived,
    TcatCommandAnswered,
    TcatCommandTimedOut,
    TcatDatasetSet,
    TcatDecommissioned,
    TcatDeviceProved,
    TcatHandshakeFailed,
    TcatSessionClosed,
    TcatSessionOpened,
    TcatSessionRefused,
    TcatStateChanged,
    TcatThreadStarted,
    TcatThreadStopped,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(Event):
    """An accessory came up, went down, or was reset by its owner."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChanged(Event):
    """Something that an accessory is good for is otherwise now: `on`, `brightness`, `temperature`."""

    name: str
    value: bool | int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReceived(Event):
    """A client asked something: the journal of REST, CoAP and GATT requests to assert on."""

    protocol: str
    method: str
    path: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequested(Event):
    """A phone asks its user; `accept` or `reject` with the request's number answers."""

    request: int
    call: str
    app: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeShown(Event):
    """A code can be read off a device from now on, in what it `shows`."""

    kind: str
    """`pin`, `passphrase`, `passkey`, `qr`, `ephemeral-key` or `pskd`."""
    service: str = ""
    code: str = field(default="", repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRequired(Event):
    """Somebody has to type a code; `kind` as in `CodeShown`. While `is_waiting`, `accept` with the request does so."""

    kind: str
    request: int = 0
    service: str = ""
    is_waiting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeExpired(Event):
    """A code was shown for as long as it is good, and is worth nothing any more; `kind` as in `CodeShown`."""

    kind: str
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSetupOpened(Event):
    """A Wi-Fi Aware accessory lets new peers pair, and says on the air who it is."""

    service: str
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSetupClosed(Event):
    """No new peer can pair, and the names are off the air. `reason`: `paired`, `expired` or `closed`."""

    service: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOpened(Event):
    """What is at the end of a data path can be reached. In virtual time there are no `endpoints`, only the session."""

    data_path: int
    session: str
    service: str
    tls: str = "none"
    """`psk`, or `simulated` in virtual time, where the octets are plain."""
    endpoints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointClosed(Event):
    """A data path has ended and its endpoints refuse everyone."""

    data_path: int
    session: str
    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedDeviceRenamed(Event):
    """The owner calls a paired device otherwise."""

    peer_id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRefused(Event):
    """A phone's platform refused a call of its Wi-Fi Aware API, in its own words; what it refused to do follows."""

    platform: str
    call: str
    rule: str
    expected: str
    came: str
    domain: str | None = None
    case: str | None = None
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialStored(Event):
    """A phone's store accepted a credential."""

    platform: str
    border_agent: str
    network_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialRefused(Event):
    """A phone's store refused; the five members are those of the verdict."""

    platform: str
    border_agent: str
    rule: str
    expected: str
    came: str
    symptom: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientExited(Event):
    """The program under test has ended."""

    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioRegistered(Event):
    """A program outside has joined the air over UDP, as a `radio` or a `monitor`; `peer` is a radio's first address."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioForgotten(Event):
    """A program outside is no longer on the air."""

    reason: str


def _subclasses(base: type[Event]) -> dict[tuple[str, str], type[Event]]:
    found: dict[tuple[str, str], type[Event]] = {}
    for each in base.__subclasses__():
        # A slotted dataclass is built twice; only the one that its module exports counts.
        if each.__module__ != "__main__" and not each.__name__.startswith("_"):
            found[each.__name__, each.__module__] = each
        found.update(_subclasses(each))
    return found


def _by_name() -> dict[str, list[type[Event]]]:
    # Media share names where the same thing happens: pairing has one vocabulary, and members of its own on each.
    found: dict[str, list[type[Event]]] = {}
    for (name, _), each in _subclasses(Event).items():
        found.setdefault(name, []).append(each)
    return dict(sorted(found.items()))


def vocabulary() -> Mapping[str, type[Event]]:
    """Every event class by name, sorted; of those that share a name, the one that was defined first."""
    return {name: classes[0] for name, classes in _by_name().items()}


_KNOWN: set[str] = set()


def is_event(name: str) -> bool:
    """Whether an event is called so. Classes come and never go, so a yes is remembered."""
    if name not in _KNOWN:
        _KNOWN.update(vocabulary())
    return name in _KNOWN


def members(name: str) -> Mapping[str, Field[Any]]:
    """The members of every event of that name, on whichever medium; none for an unknown name."""
    found: dict[str, Field[Any]] = {}
    for each in _by_name().get(name, []):
        for member in fields(each):
            if member.name not in found or member.metadata.get("secret"):
                found[member.name] = member
    return found


__all__ = [
    "PLATFORM_NAMES",
    "Advertised",
    "AlertReceived",
    "AlertSent",
    "AnswerReceived",
    "AttributeChanged",
    "BackboneRouterChanged",
    "BondForgotten",
    "BootstrappingCompleted",
    "BootstrappingDeferred",
    "BootstrappingFailed",
    "BootstrappingRequested",
    "BootstrappingStarted",
    "CharacteristicNotified",
    "CharacteristicRead",
    "CharacteristicRefused",
    "CharacteristicWritten",
    "ChildAttached",
    "ChildDetached",
    "ClientExited",
    "CodeExpired",
    "CodeRequired",
    "CodeShown",
    "CommandReceived",
    "CommissionerDatasetChanged",
    "CommissionerDatasetReceived",
    "CommissionerLost",
    "Connected",
    "ConnectingFailed",
    "ConnectionClosed",
    "ConsentRequested",
    "CredentialRefused",
    "CredentialStored",
    "CredentialsFetched",
    "DataPathClosed",
    "DataPathFailed",
    "DataPathOpened",
    "DataPathRequested",
    "DataPathStarted",
    "DatasetChangeNotified",
    "DatasetChanged",
    "DatasetReceived",
    "DatasetSetRefused",
    "Disconnected",
    "EndpointClosed",
    "EndpointOpened",
    "EphemeralKeyActivated",
    "EphemeralKeyConnected",
    "EphemeralKeyDeactivated",
    "EphemeralKeyExpired",
    "EphemeralKeySwitched",
    "EphemeralKeyUsed",
    "Event",
    "FaultEnded",
    "FaultFired",
    "FaultStarted",
    "FetchFailed",
    "FlightRepeated",
    "FollowUpReceived",
    "FrameIgnored",
    "HandshakeCompleted",
    "HandshakeFailed",
    "HandshakeStarted",
    "Hidden",
    "IdentityChanged",
    "JoinFinReceived",
    "JoinerConnected",
    "JoinerDiscovered",
    "JoinerEnabled",
    "JoinerEntrusted",
    "JoinerFinalized",
    "JoinerRemoved",
    "JoinerRouterFound",
    "JoiningFailed",
    "KeepAliveAnswered",
    "PairSetupClosed",
    "PairSetupOpened",
    "PairedDeviceRenamed",
    "PairingAttemptsExhausted",
    "PairingCompleted",
    "PairingFailed",
    "PairingRequested",
    "PairingStarted",
    "PairingVerified",
    "ParentRequested",
    "PartitionChanged",
    "PeerDiscovered",
    "PeerLost",
    "PeerRecognised",
    "PeerRemoved",
    "PeerReturned",
    "PeerSilent",
    "PeerUpdated",
    "PetitionAccepted",
    "PetitionRejected",
    "PlatformRefused",
    "PublishStarted",
    "PushReceived",
    "PushSent",
    "RadioForgotten",
    "RadioRegistered",
    "RequestFailed",
    "RequestReceived",
    "RoleChanged",
    "SessionTerminated",
    "SessionUpdated",
    "SetAnswered",
    "StateChanged",
    "SubscribeStarted",
    "Subscribed",
    "SubscriberAnswered",
    "TcatAdvertChanged",
    "TcatAdvertStarted",
    "TcatAdvertStopped",
    "TcatAnswerReceived",
    "TcatApplicationDataReceived",
    "TcatCommandAnswered",
    "TcatCommandTimedOut",
    "TcatDatasetSet",
    "TcatDecommissioned",
    "TcatDeviceProved",
    "TcatHandshakeFailed",
    "TcatSessionClosed",
    "TcatSessionOpened",
    "TcatSessionRefused",
    "TcatStateChanged",
    "TcatThreadStarted",
    "TcatThreadStopped",
    "TlsHandshakeCompleted",
    "TlsHandshakeFailed",
    "Unsubscribed",
    "members",
    "platform_names",
    "vocabulary",
]

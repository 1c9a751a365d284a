"""What data paths report. `data_path` is this device's own number of a path; `peer` the peer's NMI as text."""

from dataclasses import dataclass, field

from pairing.crypto.intermediates import Intermediates
from pairing.engine import Event
from pairing.nan.key_schedule import NdPtk


@dataclass(frozen=True, slots=True)
class GroupKeys:
    """The group keys of one side; None where it has none."""

    igtk: bytes | None = field(default=None, repr=False)
    bigtk: bytes | None = field(default=None, repr=False)
    gtk: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DataPathKeys:
    """What a secure data path is protected with; `ptk` is None without security."""

    ptk: NdPtk | None = field(default=None, repr=False)
    own: GroupKeys = field(default_factory=GroupKeys, repr=False)
    peer: GroupKeys = field(default_factory=GroupKeys, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathEvent(Event):
    """News of one data path."""

    data_path: int
    service: str
    is_initiator: bool
    security: str
    """`open`, `passphrase`, `pmk` or `paired`."""
    suite: int
    """NAN cipher suite id; 0 without security."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathStarted(DataPathEvent):
    """Our request is out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathRequested(DataPathEvent):
    """A peer asks for a data path: accept or reject it."""

    service_info: bytes = b""
    needs_passphrase: bool = False
    """The service has no passphrase of its own: it comes with the acceptance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathOpened(DataPathEvent):
    """Data may flow between the two interfaces. Addresses are link-local IPv6, empty where the peer told none."""

    own_ndi: str
    peer_ndi: str
    own_address: str
    peer_address: str = ""
    service_info: bytes = b""
    is_key_in_use: bool = True
    """False: another path between the same interfaces has the stronger key, which stays in use."""
    keys: DataPathKeys = field(repr=False, metadata={"secret": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathClosed(DataPathEvent):
    """A data path that was open is no more."""

    reason: int
    by_peer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathFailed(DataPathEvent):
    """A data path never opened. `error` is the class of `pairing.errors` that this failure is."""

    error: str
    rule: str
    expected: str
    came: str
    reason: int | None = None
    """The reason code that was told or heard."""
    mistake: str = ""
    """The known mistake that yields exactly what came, if there is one."""
    intermediates: Intermediates = field(default_factory=Intermediates, repr=False, metadata={"secret": True})

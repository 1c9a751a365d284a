"""Facts of TCAT, from a device's agent and from a commissioner. The host acts on those that ask for it."""

from dataclasses import dataclass, field

from pairing.engine import Event

_SECRET = {"secret": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatStateChanged(Event):
    """The agent is `disabled`, `standby`, `standby-temporary`, `active`, `active-temporary` or `connected`."""

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatAdvertStarted(Event):
    """It advertises from now on, every `interval_units` of 0.625 ms."""

    interval_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatAdvertChanged(Event):
    """What it advertises: the whole AD value of the service data."""

    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatAdvertStopped(Event):
    """It advertises no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatSessionOpened(Event):
    """A commissioner that may give commands is connected. `subject` is its certificate's; `tls` how it is protected."""

    subject: str = ""
    tls: str = ""
    key_log: str = field(default="", repr=False, metadata=_SECRET)
    """The secrets of the connection in a line of a TLS key log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatHandshakeFailed(Event):
    """TLS did not come about."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatSessionRefused(Event):
    """TLS came about, and the certificate is not one of a commissioner: the device closes at once."""

    rule: str
    expected: str
    came: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatSessionClosed(Event):
    """The device ends the channel, with close_notify where the other end is still there."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatCommandAnswered(Event):
    """A command came in and was answered: the journal. `status` is its name, `payload` where it was data.

    `rule` names what a refusal was for.
    """

    command: str
    status: str
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatDatasetSet(Event):
    """A commissioner has set the Active Dataset."""

    tlvs: bytes = field(repr=False, metadata=_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatThreadStarted(Event):
    """A commissioner has Thread started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatThreadStopped(Event):
    """A commissioner has Thread stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatDecommissioned(Event):
    """A commissioner has the device forget its network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatApplicationDataReceived(Event):
    """Application or vendor data came: `command` says on which of the channels."""

    command: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatAnswerReceived(Event):
    """A device has answered a commissioner's command: with a status, or with a payload (`status` is `payload`)."""

    command: str
    status: str
    payload: bytes = field(default=b"", repr=False, metadata=_SECRET)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatCommandTimedOut(Event):
    """A device did not answer a commissioner's command in time."""

    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TcatDeviceProved(Event):
    """The device was asked to prove that it knows its PSKd: whether it does."""

    proved: bool

"""The vocabulary: every event class of the project, importable from here, and the words platforms have for them.

Engines define what they emit; the events below are those of the devices around them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pairing.engine import Event, FrameIgnored, PeerDiscovered, PeerLost


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged(Event):
    """An accessory came up, went down, or was reset by its owner."""

    state: str
    reason: str = ""


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
class FaultStarted(Event):
    """A fault or lie is in force from now on."""

    fault: str
    kind: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFired(Event):
    """A fault changed something that happened, or a lie was told."""

    fault: str
    kind: str
    target: str
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEnded(Event):
    """A fault or lie is over; `fired` counts what it changed."""

    fault: str
    kind: str
    target: str
    fired: int


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


PLATFORM_NAMES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "PeerDiscovered": {"ios": "NWBrowser.Result.Change.added", "android": "onServiceFound"},
        "PeerLost": {"ios": "NWBrowser.Result.Change.removed", "android": "onServiceLost"},
        "CredentialStored": {"ios": "storeCredentials", "android": "addCredentials"},
        "CredentialRefused": {"ios": "storeCredentials", "android": "addCredentials"},
    }
)
"""Event type -> what iOS and Android call the moment, where they have a word for it."""


def _subclasses(base: type[Event]) -> dict[str, type[Event]]:
    found: dict[str, type[Event]] = {}
    for each in base.__subclasses__():
        # A slotted dataclass is built twice; only the one that its module exports counts.
        if each.__module__ != "__main__" and not each.__name__.startswith("_"):
            found[each.__name__] = each
        found.update(_subclasses(each))
    return found


def vocabulary() -> Mapping[str, type[Event]]:
    """Every event class by name, sorted."""
    return dict(sorted(_subclasses(Event).items()))


__all__ = [
    "PLATFORM_NAMES",
    "ClientExited",
    "ConsentRequested",
    "CredentialRefused",
    "CredentialStored",
    "Event",
    "FaultEnded",
    "FaultFired",
    "FaultStarted",
    "FrameIgnored",
    "PeerDiscovered",
    "PeerLost",
    "RadioForgotten",
    "RadioRegistered",
    "RequestReceived",
    "StateChanged",
    "vocabulary",
]

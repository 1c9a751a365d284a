"""What the two sides of a data path share: its frame on the way, its deadline, its events.

Source: Wi-Fi Aware specification 4.0, section 7.3.
"""

from dataclasses import replace
from ipaddress import IPv6Address
from typing import TypedDict

from pairing.crypto.intermediates import Intermediates
from pairing.engine import Event, FrameIgnored, Micros, Outputs, Transmit
from pairing.errors import AuthenticationError, RemoteProtocolError
from pairing.nan.attributes import reason_name
from pairing.nan.data_path_events import DataPathClosed, DataPathFailed, DataPathKeys, DataPathOpened
from pairing.nan.data_path_exchange import DataPathExchange
from pairing.nan.data_path_terms import DataPathTerms, NdpAttribute, interface_id, told_interface_id, told_service_info
from pairing.nan.delivery import Delivery
from pairing.nan.frames import NanActionFrame
from pairing.nan.identifiers import address_text
from pairing.pasn.events import LieTold

PROTOCOL = "nan-data-path"
LINK_LOCAL_PREFIX = b"\xfe\x80" + bytes(6)


class About(TypedDict):
    """What every event of a data path says."""

    peer: str
    data_path: int
    service: str
    is_initiator: bool
    security: str
    suite: int


def link_local(identifier: bytes) -> str:
    """The link-local IPv6 address with that interface identifier."""
    return str(IPv6Address(LINK_LOCAL_PREFIX + identifier))


class DataPathSide:
    """The state that both sides share; it decides nothing."""

    def __init__(self, terms: DataPathTerms, exchange: DataPathExchange | None) -> None:
        self.terms = terms
        self.exchange = exchange
        times = terms.settings.times
        self.delivery = Delivery(wait=times.acknowledgement, repeat=times.repeat, tries=times.tries)
        self.deadline: Micros | None = None
        self.trouble: RemoteProtocolError | None = None
        """Why the peer's last message was not taken."""
        self.peer_interface_id: bytes | None = None
        self.peer_service_info = b""
        self.has_twin = False
        """Another path of that name is open: if this one fails, the peer is told nothing, which would end the other."""
        self._last_answered = b""

    # What others may ask.

    @property
    def about(self) -> About:
        """The common fields of events."""
        terms = self.terms
        return About(
            peer=address_text(terms.peer_nmi),
            data_path=terms.number,
            service=terms.service,
            is_initiator=terms.is_initiator,
            security=terms.security.value,
            suite=terms.suite,
        )

    @property
    def intermediates(self) -> Intermediates:
        """Every value of the handshake known so far, by name."""
        return Intermediates() if self.exchange is None else self.exchange.intermediates

    @property
    def keys(self) -> DataPathKeys:
        """What the path is protected with."""
        return DataPathKeys() if self.exchange is None else self.exchange.keys

    def is_repeated(self, frame: NanActionFrame) -> bool:
        """Whether the peer's frame is the one that our last frame answers."""
        return frame.encode() == self._last_answered

    # Steps.

    def hear(self, ndp: NdpAttribute) -> None:
        """Take note of what every NDPE says of its sender."""
        self.peer_interface_id = told_interface_id(ndp) or self.peer_interface_id
        self.peer_service_info = told_service_info(ndp) or self.peer_service_info

    def with_terms(self, **known: object) -> None:
        """More is known."""
        self.terms = replace(self.terms, **known)  # type: ignore[arg-type]  # fields of the record
        if self.exchange is not None:
            self.exchange.terms = self.terms

    def send(self, frame: NanActionFrame, number: int, now: Micros, answered: NanActionFrame | None = None) -> Outputs:
        """Send a frame, and again while it is lost; messages are numbered 1 to 4, others 0."""
        if answered is not None:
            self._last_answered = answered.encode()
        peer, lies = address_text(self.terms.peer_nmi), self.terms.lies
        if number and lies.silent_at == number:
            return [LieTold(peer=peer, lie="silent-at", frame=number)]
        told = [LieTold(peer=peer, lie="wrong-mic-at", frame=number)] if number and lies.wrong_mic_at == number else []
        return [*told, *self.delivery.send(Transmit(frame.encode(), frame.destination), now)]

    def terminate(self, reason: int, now: Micros, *, was_open: bool) -> Outputs:
        """Tell the peer that it is over; those who share no other keys say it from interface to interface."""
        self.deadline = None
        if self.has_twin and not was_open:
            self.delivery.stop()
            return []
        terms = self.terms
        if was_open and terms.suite and not terms.is_marked:
            terms = replace(terms, is_marked=True, is_between_ndis=True)
        frame, times = terms.termination(reason), terms.settings.times
        said = Transmit(frame.encode(), frame.destination)
        return self.delivery.send(said, now, tries=times.termination_tries, repeat=times.termination_repeat)

    def ignored(self, reason: str) -> FrameIgnored:
        """The event of a frame that changes nothing."""
        return FrameIgnored(peer=address_text(self.terms.peer_nmi), reason=reason, protocol=PROTOCOL)

    # Endings.

    def opened(self, *, is_key_in_use: bool = True) -> Event:
        """The event of success."""
        terms = self.terms
        return DataPathOpened(
            **self.about,
            own_ndi=address_text(terms.own_ndi),
            peer_ndi=address_text(terms.peer_ndi),
            own_address=link_local(interface_id(terms.own_ndi)),
            peer_address="" if self.peer_interface_id is None else link_local(self.peer_interface_id),
            service_info=self.peer_service_info,
            is_key_in_use=is_key_in_use,
            keys=self.keys,
        )

    def closed(self, reason: int, *, by_peer: bool) -> Event:
        """The event of the end of an open path."""
        return DataPathClosed(**self.about, reason=reason, by_peer=by_peer)

    def failed(self, error: str, rule: str, expected: str, came: str, reason: int | None = None) -> Event:
        """The event of a path that never opened."""
        return DataPathFailed(
            **self.about,
            error=error,
            rule=rule,
            expected=expected,
            came=came,
            reason=reason,
            mistake="" if self.exchange is None else self.exchange.mistake,
            intermediates=self.intermediates,
        )

    def failed_by(self, error: RemoteProtocolError, rule: str, reason: int | None = None) -> Event:
        """The same, by an error that was raised."""
        expected = "a proof of the same key" if isinstance(error, AuthenticationError) else "a frame as it should be"
        return self.failed(type(error).__name__, rule, expected, str(error), reason)

    def timed_out(self, waited_for: str) -> Event:
        """The event of silence, or of frames that were of no use."""
        if self.trouble is not None:
            return self.failed_by(self.trouble, waited_for)
        return self.failed("ExchangeTimeoutError", "timeout", f"{waited_for} in time", "none")

    def terminated(self, reason: int) -> Event:
        """The event of a path that the peer ended before it opened; our own finding comes first."""
        if self.trouble is not None:
            return self.failed_by(self.trouble, "the next message", reason)
        return self.failed("PeerRejectedError", "termination", "the next message", _named(reason), reason)

    def rejected(self, reason: int) -> Event:
        """The event of a peer that said no."""
        return self.failed("PeerRejectedError", "status", "continued", f"rejected, {_named(reason)}", reason)


def _named(reason: int) -> str:
    return f"reason {reason} ({reason_name(reason)})"

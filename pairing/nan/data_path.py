"""The data paths of a device: any number with any number of peers, asked for by either side.

Reads services and peers from the discovery engine and the keys of pairings from the frame protection, to which the keys
of secure paths go. Paths between the same two interfaces share one key: the strongest.
Source: Wi-Fi Aware specification 4.0, sections 7.1 and 7.3.
"""

from dataclasses import replace
from typing import TypeAlias

from pairing.engine import Entropy, FrameIgnored, Micros, Output, Outputs
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import (
    NegotiationStatus,
    ReasonCode,
)
from pairing.nan.attributes.schedule import NDC_ID_LENGTH
from pairing.nan.data_path_events import DataPathOpened, DataPathRequested
from pairing.nan.data_path_initiator import DataPathInitiator
from pairing.nan.data_path_planner import DataPathPlanner
from pairing.nan.data_path_requests import Refused, judge_request, read_request
from pairing.nan.data_path_responder import NONCE_LENGTH, DataPathResponder
from pairing.nan.data_path_rules import DataPathLies, DataPathSettings, strength
from pairing.nan.data_path_side import PROTOCOL
from pairing.nan.data_path_terms import DataPathTerms, NdpAttribute, ndp_of
from pairing.nan.delivery import DeliveryState
from pairing.nan.device_sessions import DeviceSessions
from pairing.nan.discovery import Discovery
from pairing.nan.frames import NafSubtype, NanActionFrame
from pairing.nan.identifiers import address_text
from pairing.nan.pairing_partners import discovered_service
from pairing.nan.platform_rules import DataPathSecurity
from pairing.nan.protection import FrameProtection
from pairing.nan.sessions import Publish

Path: TypeAlias = DataPathInitiator | DataPathResponder
MAX_REFUSED = 16
"""Requests beyond the number of data paths that are refused; further ones are ignored."""
OURS = frozenset(
    {
        NafSubtype.DATA_PATH_REQUEST,
        NafSubtype.DATA_PATH_RESPONSE,
        NafSubtype.DATA_PATH_CONFIRM,
        NafSubtype.DATA_PATH_KEY_INSTALLMENT,
        NafSubtype.DATA_PATH_TERMINATION,
    }
)


class DataPaths:
    """Intents: `open`, `accept`, `reject`, `close`, `drop`; a data path is named by its number."""

    def __init__(
        self,
        discovery: Discovery,
        protection: FrameProtection,
        sessions: DeviceSessions,
        own_ndi: bytes,
        entropy: Entropy,
        settings: DataPathSettings | None = None,
    ) -> None:
        self._discovery = discovery
        self._protection = protection
        self._entropy = entropy
        self._settings = settings or DataPathSettings()
        self._planner = DataPathPlanner(discovery, protection, sessions, own_ndi, entropy, self._settings)
        self._paths: dict[int, Path] = {}

    @property
    def lies(self) -> DataPathLies:
        """The deviations of paths that begin from now on."""
        return self._planner.lies

    @lies.setter
    def lies(self, lies: DataPathLies) -> None:
        self._planner.lies = lies

    # What the owner asks for.

    def open(
        self,
        peer: bytes,
        now: Micros,
        *,
        passphrase: str | None = None,
        pmk: bytes | None = None,
        suite: int | None = None,
        service_info: bytes = b"",
        dialog_token: int | None = None,
        ndp_id: int | None = None,
    ) -> Outputs:
        """Ask a publisher in view for a data path; with a paired one, the keys are those of the pairing."""
        found = discovered_service(self._discovery, peer)
        if found is None:
            raise LocalProtocolError(f"no service of {address_text(peer)} is in view")
        security, suite = self._planner.choose(found, passphrase, pmk, suite)
        terms = self._planner.ours(found, security, suite, dialog_token, ndp_id, self._paths.values())
        terms = replace(terms, service_info=service_info)
        exchange = self._planner.exchange(terms, passphrase, pmk)
        path = DataPathInitiator(terms, exchange)
        path.side.with_terms(ndc_id=self._entropy(NDC_ID_LENGTH))
        if exchange is not None:
            exchange.set_own_nonce(self._entropy(NONCE_LENGTH))
        self._paths[terms.number] = path
        return self._after(path, path.start(now))

    def accept(
        self,
        number: int,
        now: Micros,
        *,
        passphrase: str | None = None,
        pmk: bytes | None = None,
        service_info: bytes = b"",
    ) -> Outputs:
        """Grant a peer's request; a passphrase or PMK is needed only where the service has none."""
        path = self._asked(number)
        path.side.with_terms(service_info=service_info)
        if not path.side.terms.ndc_id:
            # A request may leave the NDC to us, and its sender refuses a response without one.
            path.side.with_terms(ndc_id=self._entropy(NDC_ID_LENGTH))
        exchange = self._planner.exchange(path.side.terms, passphrase, pmk)
        return self._after(path, path.accept(exchange, self._entropy, now))

    def reject(self, number: int, now: Micros, reason: int = ReasonCode.NDP_REJECTED) -> Outputs:
        """Refuse a peer's request."""
        path = self._asked(number)
        return self._after(path, path.refuse(reason, "user", "to accept", "rejected", now))

    def close(self, number: int, now: Micros, reason: int = ReasonCode.UNSPECIFIED) -> Outputs:
        """End a data path, open or on its way."""
        path = self._paths.get(number)
        if path is None or path.is_over:
            raise LocalProtocolError(f"there is no data path {number}")
        return self._after(path, path.close(reason, now))

    def close_all(self, peer: bytes, now: Micros) -> Outputs:
        """End every data path with a peer; it is told until it has heard."""
        outputs: list[Output] = []
        for path in list(self._paths.values()):
            if path.side.terms.peer_nmi == peer and not path.is_over:
                outputs += self._after(path, path.close(ReasonCode.UNSPECIFIED, now))
        return outputs

    def drop(self, peer: bytes, now: Micros) -> Outputs:
        """End everything with a peer at once; it is told, but not twice."""
        outputs: list[Output] = []
        for number, path in list(self._paths.items()):
            if path.side.terms.peer_nmi == peer:
                outputs += [] if path.is_over else path.close(ReasonCode.UNSPECIFIED, now)
                del self._paths[number]
        return outputs

    # What others may ask.

    def path(self, number: int) -> Path | None:
        """A data path that is open or on its way."""
        return self._paths.get(number)

    def interfaces_with(self, peer: bytes) -> tuple[tuple[bytes, bytes], ...]:
        """Our interface and the peer's of every path with it."""
        terms = [path.side.terms for path in self._paths.values() if path.side.terms.peer_nmi == peer]
        return tuple(dict.fromkeys((each.own_ndi, each.peer_ndi) for each in terms))

    @property
    def open_paths(self) -> tuple[int, ...]:
        """The numbers of the data paths that are open."""
        return tuple(number for number, path in self._paths.items() if path.is_open)

    @property
    def waiting_for_user(self) -> tuple[int, ...]:
        """The requests that wait for `accept` or `reject`."""
        return tuple(number for number, path in self._paths.items() if _is_asked(path))

    # What time and the air bring.

    @property
    def deadline(self) -> Micros | None:
        """The earliest of all."""
        times = (path.deadline for path in self._paths.values())
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Repeat, give up, forget what is over."""
        outputs: list[Output] = []
        for path in list(self._paths.values()):
            if path.deadline is not None and path.deadline <= now:
                outputs += self._after(path, path.handle_timeout(now))
        return outputs

    def acknowledged(self, payload: bytes, is_acknowledged: bool, now: Micros) -> Outputs:
        """The medium tells whether a frame of ours arrived; the frame as this engine put it out."""
        outputs: list[Output] = []
        for path in list(self._paths.values()):
            outputs += self._after(path, path.acknowledged(payload, is_acknowledged, now))
        return outputs

    def receive_frame(self, frame: NanActionFrame, now: Micros) -> Outputs:
        """A decoded NAF."""
        ndp = ndp_of(frame)
        if frame.subtype not in OURS or ndp is None:
            return []
        peer = self._nmi_of(frame)
        found = self._find(peer, ndp)
        if frame.subtype == NafSubtype.DATA_PATH_REQUEST:
            is_old = any(isinstance(path, DataPathResponder) and path.is_begun_by(frame) for path in found)
            if not is_old:
                return self._on_request(frame, ndp, peer, [path for path in found if not path.is_over], now)
        if not found:
            return [_ignored(frame, f"subtype {frame.subtype}, which belongs to no data path")]
        meant = found if frame.subtype == NafSubtype.DATA_PATH_TERMINATION else found[:1]
        return [output for path in meant for output in self._after(path, path.receive(frame, ndp, now))]

    # A peer's request.

    def _on_request(
        self, frame: NanActionFrame, ndp: NdpAttribute, peer: bytes, twins: list[Path], now: Micros
    ) -> Outputs:
        publish = self._discovery.sessions.get(ndp.publish_id or 0)
        if not isinstance(publish, Publish) or ndp.status != NegotiationStatus.CONTINUED:
            return [_ignored(frame, f"publish ID {ndp.publish_id} is none of ours")]
        if any(not twin.is_open for twin in twins):
            return [_ignored(frame, f"another request for NDP {ndp.ndp_id}, which is under way")]
        running = sum(not path.is_over for path in self._paths.values())
        if running >= self._settings.max_data_paths + MAX_REFUSED:
            return [_ignored(frame, f"{running} data paths are under way already")]
        keys = self._planner.keys_with(peer)
        asked = read_request(frame, ndp, keys)
        terms = self._planner.asked(publish, frame, ndp, peer, asked, self._paths.values())
        path = DataPathResponder(terms, frame, ndp, now)
        path.side.has_twin = bool(twins)
        self._paths[terms.number] = path
        refused = judge_request(asked, publish, keys, self._settings, self.lies, running)
        if isinstance(refused, Refused):
            refusal = path.refuse(refused.reason, refused.rule, refused.expected, refused.came, now)
            return self._after(path, refusal)
        is_passphrase = asked.security is DataPathSecurity.PASSPHRASE
        needs = is_passphrase and not self._planner.has_passphrase(publish.instance_id)
        info = path.side.peer_service_info
        return [DataPathRequested(**path.side.about, service_info=info, needs_passphrase=needs)]

    # Parts.

    def _asked(self, number: int) -> DataPathResponder:
        path = self._paths.get(number)
        if not isinstance(path, DataPathResponder) or not _is_asked(path):
            raise LocalProtocolError(f"there is no request for a data path {number}")
        return path

    def _nmi_of(self, frame: NanActionFrame) -> bytes:
        for path in self._paths.values():
            terms = path.side.terms
            if terms.peer_ndi == frame.source:
                return terms.peer_nmi
        return frame.source

    def _find(self, peer: bytes, ndp: NdpAttribute) -> list[Path]:
        """The paths of that name: what is on its way first, then what is open, then what is over."""
        wanted = (peer, ndp.initiator_ndi, ndp.ndp_id)
        named = [
            path
            for path in self._paths.values()
            if (path.side.terms.peer_nmi, path.side.terms.initiator_ndi, path.side.terms.ndp_id) == wanted
        ]
        return sorted(named, key=lambda path: (path.is_over, path.is_open))

    def _after(self, path: Path, outputs: Outputs) -> Outputs:
        """Take keys into use, and out of it; forget what is over and said."""
        passed: list[Output] = []
        for output in outputs:
            if isinstance(output, DataPathOpened):
                passed += [*self._replace_twins(path), self._installed(path, output)]
            else:
                passed.append(output)
        if path.is_over and path.side.delivery.state not in (DeliveryState.SENT, DeliveryState.REPEATING):
            self._paths.pop(path.side.terms.number, None)
            self._release(path.side.terms)
        return passed

    def _replace_twins(self, path: Path) -> Outputs:
        """A peer that opens a path under the name of an open one has forgotten the old one."""
        if not path.side.has_twin:
            return []
        path.side.has_twin = False
        terms, outputs = path.side.terms, []
        for number, twin in list(self._paths.items()):
            other = twin.side.terms
            is_same = (other.peer_nmi, other.initiator_ndi, other.ndp_id) == (
                terms.peer_nmi,
                terms.initiator_ndi,
                terms.ndp_id,
            )
            if twin is not path and is_same and twin.is_open:
                del self._paths[number]
                outputs.append(twin.side.closed(ReasonCode.UNSPECIFIED, by_peer=True))
        return outputs

    def _installed(self, path: Path, opened: DataPathOpened) -> DataPathOpened:
        terms, ptk = path.side.terms, opened.keys.ptk
        if ptk is None:
            return opened
        own = strength(terms.suite, is_authenticated=terms.is_authenticated)
        others = [self._strength(each) for each in self._shared(path)]
        if others and max(others) >= own:
            return replace(opened, is_key_in_use=False)
        self._protection.install_data_path(terms.own_ndi, terms.peer_ndi, terms.suite, ptk.tk)
        return opened

    def _shared(self, path: Path) -> list[Path]:
        """Other open paths with security between the same two interfaces."""
        ndis = (path.side.terms.own_ndi, path.side.terms.peer_ndi)
        return [
            each
            for each in self._paths.values()
            if each is not path
            and each.is_open
            and each.side.terms.suite
            and (each.side.terms.own_ndi, each.side.terms.peer_ndi) == ndis
        ]

    def _strength(self, path: Path) -> int:
        terms = path.side.terms
        return strength(terms.suite, is_authenticated=terms.is_authenticated)

    def _release(self, terms: DataPathTerms) -> None:
        """No path between these interfaces is left: their key is not used any more."""
        in_use = any(
            (path.side.terms.own_ndi, path.side.terms.peer_ndi) == (terms.own_ndi, terms.peer_ndi)
            for path in self._paths.values()
        )
        if not in_use:
            self._protection.remove(terms.own_ndi, terms.peer_ndi)


def _is_asked(path: Path) -> bool:
    return isinstance(path, DataPathResponder) and path.state.value == "asked"


def _ignored(frame: NanActionFrame, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=address_text(frame.source), reason=reason, protocol=PROTOCOL)

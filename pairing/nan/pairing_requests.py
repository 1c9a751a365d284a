"""What a responder thinks of a peer's frame 1 before its owner is asked: refuse it, verify it, or ask.

Source: Wi-Fi Aware specification 4.0, sections 7.6.3 and 7.6.4; statuses as NAN devices answer, where they were seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pairing.ieee80211.frames import StatusCode
from pairing.keys import PairedPeer
from pairing.nan.attributes import Attribute, BootstrappingMethods, IdentityResolution, find
from pairing.nan.bootstrapping_exchange import Agreement
from pairing.nan.identity import PairedPeers, identity_of, is_made_by
from pairing.nan.mistakes import known_identity_mistake
from pairing.nan.pairing_events import PairingCause
from pairing.nan.pairing_failures import Failure
from pairing.nan.sessions import Session
from pairing.pasn.events import PasnMode, PasnRequested

_M = BootstrappingMethods
_WITHOUT_PASSWORD = _M.OPPORTUNISTIC


@dataclass(frozen=True, slots=True)
class Refusal:
    """The status that a frame 2 says, and why."""

    status: int
    failure: Failure


def _refusal(
    error: str,
    cause: PairingCause,
    rule: str,
    expected: str,
    came: str,
    status: int = StatusCode.UNSPECIFIED_FAILURE,
    mistake: str = "",
) -> Refusal:
    return Refusal(status, Failure(error, cause, rule, expected, came, 1, status, mistake))


def judge_setup(
    requested: PasnRequested,
    session: Session,
    agreement: Agreement | None,
    *,
    is_bootstrapping: bool,
    is_locked: bool,
) -> Refusal | None:
    """Why a pairing setup is refused; None if the owner is to be asked."""
    capabilities, mode = session.device_capability_extension, requested.mode
    if capabilities is None or not capabilities.is_pairing_setup_enabled:
        return _refusal(
            "PeerRejectedError", PairingCause.DECLINED, "pairing setup", "to be open for pairing", "it is closed"
        )
    if is_locked:
        came = "as many wrong passwords as are allowed"
        return _refusal("PeerRejectedError", PairingCause.LOCKED, "attempts", "pairing to be opened again", came)
    if is_bootstrapping:
        came = "a frame 1 before that"
        return _refusal("RemoteProtocolError", PairingCause.NOT_AGREED, "bootstrapping", "to end first", came)
    agreed = None if agreement is None else agreement.method
    if mode is PasnMode.OPPORTUNISTIC and not _allows_opportunistic(agreed, session.methods):
        expected = "a password" if agreed is None else f"a password, as method {agreed.value:#06x} means"
        return _refusal("NegotiationError", PairingCause.NOT_AGREED, "method", expected, "pairing without one")
    if mode is PasnMode.PASSWORD and agreed is _M.OPPORTUNISTIC:
        came = "a password although pairing without one was agreed"
        return _refusal("NegotiationError", PairingCause.NOT_AGREED, "method", "pairing without a password", came)
    return None


def _allows_opportunistic(agreed: BootstrappingMethods | None, offered: BootstrappingMethods) -> bool:
    """Whoever agreed on a password must not be talked into doing without."""
    return bool((offered if agreed is None else agreed) & (_M.OPPORTUNISTIC | _M.HANDSHAKE_SKIPPED))


def find_remembered(
    peers: PairedPeers,
    requested: PasnRequested,
    attributes: tuple[Attribute, ...],
    nmi: bytes,
    own_nmi: bytes,
    *,
    is_npkid_checked: bool,
) -> PairedPeer | Refusal:
    """The pairing that a peer wants to verify, recognised by its NIRA or else its NPKID."""
    nira, npkid = find(attributes, IdentityResolution), identity_of(requested.pmkid or b"")
    identity = nira or npkid
    peer = None if identity is None else peers.find(identity, nmi)
    if peer is None:
        expected, came = "the identity of a remembered peer", "none that is remembered"
        return _unknown(expected, came, _identity_mistake(identity, peers.all, nmi, own_nmi))
    if is_npkid_checked and (npkid is None or not is_made_by(npkid, peer.peer_nik, nmi)):
        mistake = _identity_mistake(npkid, (peer,), nmi, own_nmi)
        return _unknown("an NPKID of the same peer as the NIRA", "another", mistake)
    if (requested.akm, requested.suite.number) != (peer.akm, peer.suite):
        came = f"AKM {requested.akm:#010x} with suite {requested.suite.number}"
        return _unknown(f"AKM {peer.akm:#010x} with suite {peer.suite}, as it was paired", came)
    return peer


def _identity_mistake(
    identity: IdentityResolution | None, peers: Sequence[PairedPeer], nmi: bytes, own_nmi: bytes
) -> str:
    """The known mistake by which one of these peers got that identity, if there is one."""
    if identity is None or not peers:
        return ""
    niks = [each.peer_nik for each in peers]
    return known_identity_mistake(identity, niks, nmi, own_nmi, peers[0].own_nik) or ""


def _unknown(expected: str, came: str, mistake: str = "") -> Refusal:
    status = StatusCode.INVALID_PMKID
    return _refusal("KeyStoreError", PairingCause.UNKNOWN_PEER, "remembered pairing", expected, came, status, mistake)

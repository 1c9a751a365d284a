"""Who a peer is under a changed address: NIRA and NPKID made with our NIK, and judged with those of paired peers.

Keeps the pairings that are remembered; whoever holds this decides when one is cached or forgotten. One entry a peer: a
new pairing with the same NIK replaces the old one.
Source: Wi-Fi Aware specification 4.0, sections 7.6.4 (verification) and 9.5.23 (NIRA).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pairing.crypto.kdf import is_equal
from pairing.engine import SECOND, Entropy, Micros
from pairing.errors import KeyStoreError
from pairing.keys import NIK_LENGTH, PairedPeer
from pairing.nan.attributes import IdentityResolution
from pairing.nan.attributes.pairing import NONCE_LENGTH
from pairing.nan.key_schedule import PMKID_LENGTH, nira_tag

CIPHER_VERSION = 0


def draw_nik(entropy: Entropy) -> bytes:
    """A new identity key."""
    return entropy(NIK_LENGTH)


def bare(identity: IdentityResolution) -> IdentityResolution:
    """What tells two NIRAs apart: nonce and tag. The rest is not covered by the tag, and may change on the way."""
    return IdentityResolution(identity.nonce, identity.tag)


def draw_identity(nik: bytes, nmi: bytes, entropy: Entropy) -> IdentityResolution:
    """A NIRA under a fresh nonce; `nmi` is the address that its frames come from."""
    nonce = entropy(NONCE_LENGTH)
    return IdentityResolution(nonce, nira_tag(nik, nmi, nonce))


def npkid_of(identity: IdentityResolution) -> bytes:
    """The PMKID of pairing verification: nonce and tag of the NIRA beside it."""
    return identity.nonce + identity.tag


def identity_of(npkid: bytes) -> IdentityResolution | None:
    """The NIRA that a PMKID says again, or None if it is none."""
    if len(npkid) != PMKID_LENGTH:
        return None
    return IdentityResolution(npkid[:NONCE_LENGTH], npkid[NONCE_LENGTH:])


def is_made_by(identity: IdentityResolution, nik: bytes, nmi: bytes) -> bool:
    """Whether the holder of that NIK made the NIRA for frames from that address."""
    return identity.cipher_version == CIPHER_VERSION and is_equal(identity.tag, nira_tag(nik, nmi, identity.nonce))


@dataclass(slots=True)
class _Remembered:
    peer: PairedPeer
    expires_at: Micros | None


class PairedPeers:
    """The pairings that a device remembers. With `does_expire`, a lifetime that is over counts as forgotten."""

    def __init__(self, peers: Iterable[PairedPeer] = (), now: Micros = 0, *, does_expire: bool = False) -> None:
        self._does_expire = does_expire
        self._remembered: dict[int, _Remembered] = {}
        for peer in peers:
            self.remember(peer, now)

    def remember(self, peer: PairedPeer, now: Micros) -> PairedPeer | None:
        """Keep a pairing from now on; the one with the same peer that it replaces, if there was one."""
        before = self._remembered.pop(peer.peer_id, None)
        expires_at = now + peer.lifetime_s * SECOND if self._does_expire else None
        self._remembered[peer.peer_id] = _Remembered(peer, expires_at)
        return None if before is None else before.peer

    def forget(self, peer_id: int) -> PairedPeer:
        """Drop a pairing; KeyStoreError if there is none."""
        if peer_id not in self._remembered:
            raise KeyStoreError(f"no pairing with peer {peer_id} is remembered")
        return self._remembered.pop(peer_id).peer

    def get(self, peer_id: int) -> PairedPeer | None:
        """The pairing with that peer."""
        found = self._remembered.get(peer_id)
        return None if found is None else found.peer

    def find(self, identity: IdentityResolution, nmi: bytes) -> PairedPeer | None:
        """Whose NIRA this is, heard from that address."""
        for each in self._remembered.values():
            if is_made_by(identity, each.peer.peer_nik, nmi):
                return each.peer
        return None

    @property
    def all(self) -> tuple[PairedPeer, ...]:
        """Every pairing, the oldest first."""
        return tuple(each.peer for each in self._remembered.values())

    @property
    def deadline(self) -> Micros | None:
        """When the next lifetime is over."""
        return min((each.expires_at for each in self._remembered.values() if each.expires_at is not None), default=None)

    def expire(self, now: Micros) -> tuple[PairedPeer, ...]:
        """Forget those whose lifetime is over."""
        over = [
            each.peer for each in self._remembered.values() if each.expires_at is not None and each.expires_at <= now
        ]
        for peer in over:
            del self._remembered[peer.peer_id]
        return tuple(over)

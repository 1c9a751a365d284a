"""What a Wi-Fi Aware pairing leaves: keys in force until the two part, and the record by which they meet again.

Plain records without behaviour of a protocol; deriving and using the keys is `pairing.nan`'s work. Every key is secret:
it stays out of `repr`, and `PairedPeer.to_json` is for a store that keeps secrets.
Source: Wi-Fi Aware specification 4.0, section 7.6 (NM-PTKSA, NPKSA, identity keys).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pairing.errors import KeyStoreError

NIK_LENGTH = 16
NPK_LENGTH = 32
DEFAULT_LIFETIME_S = 43_200
PAIRED_PEER_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NanPairingKeys:
    """The keys of one pairing setup or verification; both sides hold equal ones."""

    suite: int
    """NAN cipher suite id, 7 or 8."""
    is_authenticated: bool
    """False after opportunistic pairing."""
    nm_kck: bytes = field(repr=False)
    nm_tk: bytes = field(repr=False)
    """Protects management frames between the two."""
    nm_kdk: bytes = field(repr=False)
    nm_kek: bytes = field(repr=False)
    """Wraps the NIKs."""
    nd_pmk: bytes = field(repr=False)
    """The PMK of data paths between the two."""
    npk: bytes = field(repr=False)
    """What verifies this pairing later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedPeer:
    """A pairing to remember (NPKSA): who the peer is, and the key that proves it, whatever its address."""

    own_nik: bytes = field(repr=False)
    peer_nik: bytes = field(repr=False)
    npk: bytes = field(repr=False)
    akm: int
    """AKM suite selector, OUI first, as `ieee80211.elements.Akm`."""
    suite: int
    lifetime_s: int = DEFAULT_LIFETIME_S
    """How long the peer said that its NIK is good for."""
    cipher_version: int = 0
    name: str = ""
    """The owner's word for the peer."""
    setup_info: bytes | None = None
    """What the peer said of itself while it was open for pairing."""

    @property
    def peer_id(self) -> int:
        """Sixty-four bits that name this peer for as long as it is paired, made of its NIK."""
        return int.from_bytes(hashlib.sha256(b"paired peer" + self.peer_nik).digest()[:8], "big")

    def to_json(self) -> dict[str, object]:
        """A JSON object with every secret; bytes as hexadecimal."""
        return {
            "version": PAIRED_PEER_VERSION,
            "own_nik": self.own_nik.hex(),
            "peer_nik": self.peer_nik.hex(),
            "npk": self.npk.hex(),
            "akm": int(self.akm),
            "suite": self.suite,
            "lifetime_s": self.lifetime_s,
            "cipher_version": self.cipher_version,
            "name": self.name,
            "setup_info": None if self.setup_info is None else self.setup_info.hex(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> "PairedPeer":
        """The record that `to_json` gave; KeyStoreError names the member that is wrong."""
        if document.get("version") != PAIRED_PEER_VERSION:
            raise KeyStoreError(f"paired peer: version {document.get('version')!r}, expected {PAIRED_PEER_VERSION}")
        info = document.get("setup_info")
        return cls(
            own_nik=_octets(document, "own_nik", NIK_LENGTH),
            peer_nik=_octets(document, "peer_nik", NIK_LENGTH),
            npk=_octets(document, "npk", NPK_LENGTH),
            akm=_number(document, "akm"),
            suite=_number(document, "suite"),
            lifetime_s=_number(document, "lifetime_s"),
            cipher_version=_number(document, "cipher_version"),
            name=_text(document, "name"),
            setup_info=None if info is None else _octets(document, "setup_info"),
        )


def _text(document: Mapping[str, object], member: str) -> str:
    value = document.get(member)
    if not isinstance(value, str):
        raise KeyStoreError(f"paired peer: {member} is missing or no text")
    return value


def _number(document: Mapping[str, object], member: str) -> int:
    value = document.get(member)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise KeyStoreError(f"paired peer: {member} is missing or no number")
    return value


def _octets(document: Mapping[str, object], member: str, length: int | None = None) -> bytes:
    text = _text(document, member)
    try:
        value = bytes.fromhex(text)
    except ValueError:
        raise KeyStoreError(f"paired peer: {member} is not hexadecimal") from None
    if length is not None and len(value) != length:
        raise KeyStoreError(f"paired peer: {member} has {len(value)} octets, expected {length}")
    return value

"""The exchange of identity keys after pairing: the key descriptor that carries a NIK, made and read.

The descriptor has no MIC: the frame around it is protected with NM-TK, and the key data wrapped with NM-KEK.
Source: Wi-Fi Aware specification 4.0, section 7.6.3.4; IEEE 802.11-2020, 12.7.2.
"""

from dataclasses import dataclass, field

from pairing.errors import AuthenticationError, DecodeError, RemoteProtocolError
from pairing.ieee80211.key_data import (
    LIFETIME_TYPE,
    NIK_TYPE,
    WFA_OUI,
    KeyLifetimeKde,
    LifetimeKeys,
    NikKde,
    find_kde,
    join_key_data,
    split_key_data,
    unwrap_key_data,
    wrap_key_data,
)
from pairing.keys import NanPairingKeys
from pairing.nan.attributes import KeyDescriptor, KeyInfo, SharedKeyDescriptor

NO_MIC = 0
_CIPHER_VERSION = 0


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """What a peer's NIK exchange said."""

    nik: bytes = field(repr=False)
    lifetime_s: int
    cipher_version: int
    key_data: bytes = field(repr=False)
    """The plain key data with its padding."""


def own_key_data(nik: bytes, lifetime_s: int) -> bytes:
    """Our NIK and its lifetime, plain and without padding."""
    return join_key_data((NikKde(nik, _CIPHER_VERSION).encode(), KeyLifetimeKde(lifetime_s).encode()))


def identity_descriptor(publish_id: int, keys: NanPairingKeys, key_data: bytes) -> SharedKeyDescriptor:
    """The attribute that carries our key data to a peer with the same keys."""
    descriptor = KeyDescriptor(
        key_info=KeyInfo.PAIRWISE | KeyInfo.ACK | KeyInfo.ENCRYPTED_KEY_DATA,
        key_length=len(keys.nm_tk),
        key_data=wrap_key_data(keys.nm_kek, key_data),
    )
    return SharedKeyDescriptor(publish_id, descriptor.encode())


def read_identity(received: SharedKeyDescriptor, keys: NanPairingKeys, *, is_strict: bool) -> PeerIdentity:
    """The peer's NIK. RemoteProtocolError says which rule the descriptor breaks."""
    try:
        descriptor = received.key_descriptor(NO_MIC)
    except DecodeError as error:
        raise RemoteProtocolError(f"NIK descriptor: {error.reason}") from None
    wanted = KeyInfo.ENCRYPTED_KEY_DATA | (KeyInfo.PAIRWISE if is_strict else KeyInfo(0))
    if descriptor.key_info & wanted != wanted:
        raise RemoteProtocolError(f"NIK descriptor: key info {descriptor.key_info:#06x}, expected {wanted:#06x} in it")
    try:
        plain = unwrap_key_data(keys.nm_kek, descriptor.key_data)
        parts = split_key_data(plain)
    except (DecodeError, AuthenticationError) as error:
        raise AuthenticationError(f"NIK descriptor: its key data does not open with NM-KEK: {error}") from None
    nik, lifetime = find_kde(parts, WFA_OUI, NIK_TYPE), find_kde(parts, WFA_OUI, LIFETIME_TYPE)
    if nik is None or (lifetime is None and is_strict):
        raise RemoteProtocolError("NIK descriptor: no KDE with the NIK" if nik is None else "no KDE with its lifetime")
    try:
        identity = NikKde.decode(nik)
        told = None if lifetime is None else KeyLifetimeKde.decode(lifetime)
    except DecodeError as error:
        raise RemoteProtocolError(f"NIK descriptor: {error.reason}") from None
    if is_strict and identity.cipher_version != _CIPHER_VERSION:
        raise RemoteProtocolError(f"NIK descriptor: cipher version {identity.cipher_version}, expected 0")
    if is_strict and told is not None and not told.keys & LifetimeKeys.NIK:
        raise RemoteProtocolError(f"NIK descriptor: lifetime for keys {told.keys:#06x}, expected bit 3 (NIK)")
    return PeerIdentity(identity.nik, 0 if told is None else told.seconds, identity.cipher_version, plain)

"""Keys of Wi-Fi Aware beside PASN: from NM-KDK, from a passphrase, for a data path; and the tags of identities (NIRA).

Addresses named NMI are management addresses, NDI data interface addresses: PMKIDs use the former, ND-PTK the latter.
PASN's own keys are `pairing.pasn.key_schedule`'s. Source: Wi-Fi Aware specification 4.0, sections 7.1 (data path
security) and 7.6 (pairing, identity resolution).
"""

import hashlib
from dataclasses import dataclass, field

from pairing.crypto.kdf import Hash, digest, hmac_digest, kdf
from pairing.errors import EncodeError
from pairing.nan.identifiers import BROADCAST

KEY_LENGTH = 32
PMKID_LENGTH = TOKEN_LENGTH = 16
TAG_LENGTH = 8
PASSPHRASE_ROUNDS = 4096

_STRONG = frozenset({2, 8})
_WEAK = frozenset({1, 7})


def suite_hash(suite: int) -> Hash:
    """The hash of a cipher suite: SHA-384 for NCS-SK-256 and NCS-PK-PASN-256."""
    if suite not in _STRONG | _WEAK:
        raise EncodeError(f"cipher suite {suite}, expected 1, 2, 7 or 8")
    return Hash.SHA384 if suite in _STRONG else Hash.SHA256


def data_path_mic_length(suite: int) -> int:
    """Octets of the MIC, and of ND-KCK."""
    return 24 if suite_hash(suite) is Hash.SHA384 else 16


def nira_tag(nik: bytes, nmi: bytes, nonce: bytes) -> bytes:
    """The tag of an identity resolution attribute; `nmi` is the sender's."""
    return hmac_digest(Hash.SHA256, nik, b"NIR" + nmi + nonce)[:TAG_LENGTH]


def npkid(nik: bytes, nmi: bytes, nonce: bytes) -> bytes:
    """The PMKID that a device shows in pairing verification: its nonce and tag."""
    return nonce + nira_tag(nik, nmi, nonce)


# From NM-KDK


def npk_opportunistic(suite: int, nm_kdk: bytes, initiator_nmi: bytes, responder_nmi: bytes) -> bytes:
    """The key that verifies an opportunistic pairing later; after a password pairing it is SAE's PMK."""
    return _from_kdk(suite, nm_kdk, "NAN Opportunistic NPK Derivation", initiator_nmi + responder_nmi, KEY_LENGTH)


def nm_kek(suite: int, nm_kdk: bytes, initiator_nmi: bytes, responder_nmi: bytes) -> bytes:
    """The key that wraps the NIKs when they are exchanged."""
    length = 32 if suite_hash(suite) is Hash.SHA384 else 16
    return _from_kdk(suite, nm_kdk, "NAN Management KEK Derivation", initiator_nmi + responder_nmi, length)


def nd_pmk(suite: int, nm_kdk: bytes, initiator_nmi: bytes, responder_nmi: bytes) -> bytes:
    """The data path's PMK between paired devices; the roles are those of the pairing."""
    return _from_kdk(suite, nm_kdk, "NDP PMK Derivation", initiator_nmi + responder_nmi, KEY_LENGTH)


def _from_kdk(suite: int, nm_kdk: bytes, label: str, context: bytes, length: int) -> bytes:
    return kdf(suite_hash(suite), nm_kdk, label, context, 8 * length)


# Data path


def nd_pmk_from_passphrase(suite: int, passphrase: bytes, service_id: bytes, publisher_nmi: bytes) -> bytes:
    """The data path's PMK between devices that share a passphrase."""
    salt = bytes((0, suite)) + service_id + publisher_nmi
    return hashlib.pbkdf2_hmac(suite_hash(suite).value, passphrase, salt, PASSPHRASE_ROUNDS, KEY_LENGTH)


def nd_pmkid(suite: int, pmk: bytes, initiator_nmi: bytes, responder_nmi: bytes, service_id: bytes) -> bytes:
    """The name of a data path's PMK; the roles are those of the data path."""
    return hmac_digest(suite_hash(suite), pmk, nd_pmkid_input(initiator_nmi, responder_nmi, service_id))[:PMKID_LENGTH]


def nd_pmkid_input(initiator_nmi: bytes, responder_nmi: bytes, service_id: bytes) -> bytes:
    """What ND-PMKID covers."""
    return b"NAN PMK Name" + initiator_nmi + responder_nmi + service_id


def nd_pmkid_published(suite: int, pmk: bytes, publisher_nmi: bytes, service_id: bytes) -> bytes:
    """The ND-PMKID of publish frames: the initiator is anybody."""
    return nd_pmkid(suite, pmk, BROADCAST, publisher_nmi, service_id)


@dataclass(frozen=True, slots=True)
class NdPtk:
    """ND-KCK, ND-KEK and ND-TK."""

    kck: bytes = field(repr=False)
    kek: bytes = field(repr=False)
    tk: bytes = field(repr=False)


def nd_ptk(
    suite: int, pmk: bytes, initiator_ndi: bytes, responder_ndi: bytes, initiator_nonce: bytes, responder_nonce: bytes
) -> NdPtk:
    """The data path's pairwise keys."""
    kck, kek = data_path_mic_length(suite), 32 if suite_hash(suite) is Hash.SHA384 else 16
    context = initiator_ndi + responder_ndi + initiator_nonce + responder_nonce
    keys = kdf(suite_hash(suite), pmk, "NAN Pairwise key expansion", context, 8 * (kck + 2 * kek))
    return NdPtk(keys[:kck], keys[kck : kck + kek], keys[kck + kek :])


def authentication_token(suite: int, m1_body: bytes) -> bytes:
    """What the MIC of M3 covers of M1, whose MIC field holds zeros."""
    return digest(suite_hash(suite), m1_body)[:TOKEN_LENGTH]


def data_path_mic(suite: int, kck: bytes, covered: bytes) -> bytes:
    """The MIC of M2, M3 or M4: over the body with a zero MIC, in M3 with the token before it."""
    return hmac_digest(suite_hash(suite), kck, covered)[: data_path_mic_length(suite)]

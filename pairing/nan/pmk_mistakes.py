"""The PMKs of a data path that a peer gets who takes a known wrong turn on the way from passphrase or pairing.

Source: Wi-Fi Aware specification 4.0, sections 7.1 and 7.6; what implementers of NAN data paths are known to trip over.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pairing.crypto.kdf import Hash, kdf
from pairing.keys import NanPairingKeys
from pairing.nan.data_path_terms import DataPathTerms
from pairing.nan.key_schedule import KEY_LENGTH, PASSPHRASE_ROUNDS, suite_hash
from pairing.nan.service_id import service_id_as_spelled

_LABEL = "NDP PMK Derivation"


@dataclass(frozen=True, slots=True)
class PmkSource:
    """What our PMK comes from: a passphrase, the keys of a pairing, or neither where it was handed in."""

    passphrase: str = field(default="", repr=False)
    keys: NanPairingKeys | None = field(default=None, repr=False)


NO_SOURCE = PmkSource()


def mistaken_pmks(source: PmkSource, terms: DataPathTerms) -> Iterator[tuple[str, bytes]]:
    """Mistake -> the PMK that it gives."""
    if source.passphrase:
        yield from _from_passphrase(source.passphrase, terms)
    if source.keys is not None:
        yield from _from_pairing(source.keys, terms)


def _other(right: Hash) -> Hash:
    return Hash.SHA256 if right is Hash.SHA384 else Hash.SHA384


def _from_passphrase(passphrase: str, terms: DataPathTerms) -> Iterator[tuple[str, bytes]]:
    right, secret, suite = suite_hash(terms.suite), passphrase.encode(), bytes((terms.suite,))
    service, publisher = terms.service_id, terms.responder_nmi
    whole = b"\0" + suite + service + publisher
    name = f"{_other(right).name} for the PMK of the passphrase, expected {right.name}: the cipher suite decides"
    yield name, _pbkdf2(_other(right), secret, whole)
    salts = {
        "the zero octet before the suite": suite + service + publisher,
        "version and suite": service + publisher,
        "the publisher's NMI": b"\0" + suite + service,
        "the service ID": b"\0" + suite + publisher,
    }
    for what, salt in salts.items():
        yield f"the salt of the passphrase lacks {what}", _pbkdf2(right, secret, salt)
    others = {
        "the subscriber's NMI, expected the publisher's": whole[:8] + terms.initiator_nmi,
        "the publisher's data interface, expected its NMI": whole[:8] + terms.responder_ndi,
        "the service name hashed without lower-casing": whole[:2] + service_id_as_spelled(terms.service) + publisher,
        "suite and version exchanged": suite + b"\0" + whole[2:],
    }
    for what, salt in others.items():
        if salt != whole:
            yield f"the salt of the passphrase has {what}", _pbkdf2(right, secret, salt)
    yield "the passphrase has a line end after it", _pbkdf2(right, secret + b"\n", whole)
    yield "the passphrase has a zero octet after it", _pbkdf2(right, secret + b"\0", whole)


def _pbkdf2(algorithm: Hash, secret: bytes, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac(algorithm.value, secret, salt, PASSPHRASE_ROUNDS, KEY_LENGTH)


def _from_pairing(keys: NanPairingKeys, terms: DataPathTerms) -> Iterator[tuple[str, bytes]]:
    """Who initiated the pairing is not known here: both orders of the addresses are tried."""
    right = suite_hash(keys.suite)
    one, other = terms.initiator_nmi, terms.responder_nmi
    orders = ((one, other), (other, one))
    hashed = f"{_other(right).name} for ND-PMK, expected {right.name}: the cipher suite decides"
    for first, second in orders:
        yield hashed, kdf(_other(right), keys.nm_kdk, _LABEL, first + second, 8 * KEY_LENGTH)
        turned = kdf(right, keys.nm_kdk, _LABEL, first + second, 8 * KEY_LENGTH)
        if turned != keys.nd_pmk:
            yield "ND-PMK with the addresses of the pairing in the other order", turned
        big = kdf(right, keys.nm_kdk, _LABEL, first + second, 8 * KEY_LENGTH, order="big")
        yield "ND-PMK by a KDF whose counter and length are big endian", big
    ndis = terms.initiator_ndi + terms.responder_ndi
    yield (
        "ND-PMK from data interface instead of management addresses",
        kdf(right, keys.nm_kdk, _LABEL, ndis, 8 * KEY_LENGTH),
    )
    yield "NPK as ND-PMK, expected the one derived from NM-KDK", keys.npk
    yield "NM-KDK itself as ND-PMK", keys.nm_kdk

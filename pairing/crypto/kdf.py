"""Hashes, HMAC and the key derivations built on them: the KDF of IEEE 802.11, HKDF, and the PRF of TLS 1.2.

Source: IEEE 802.11-2020, 12.7.1.6.2 (KDF-Hash-Length); RFC 5869 (HKDF); RFC 5246, section 5 (PRF).
"""

import hashlib
import hmac
from enum import Enum
from typing import Literal

from pairing.errors import EncodeError


class Hash(Enum):
    """A hash function by the name that the standard library knows."""

    SHA256 = "sha256"
    SHA384 = "sha384"

    @property
    def size(self) -> int:
        """Octets of a digest."""
        return _SIZES[self]


_SIZES = {Hash.SHA256: 32, Hash.SHA384: 48}


def digest(algorithm: Hash, data: bytes) -> bytes:
    """The hash of `data`."""
    return hashlib.new(algorithm.value, data).digest()


def hmac_digest(algorithm: Hash, key: bytes, data: bytes) -> bytes:
    """HMAC over `data`."""
    return hmac.digest(key, data, algorithm.value)


def is_equal(one: bytes, other: bytes) -> bool:
    """Compare two MICs or tags in constant time."""
    return hmac.compare_digest(one, other)


def kdf(
    algorithm: Hash, key: bytes, label: str, context: bytes, bits: int, *, order: Literal["little", "big"] = "little"
) -> bytes:
    """KDF-Hash-Length: `bits` of key material. The length is part of every block: it counts all that is asked for.

    Counter and length are little endian; the other order is there to recognise who takes it.
    """
    if bits % 8 or not 0 < bits <= 0xFFFF:
        raise EncodeError(f"{bits} bits of key material, expected whole octets up to 65535 bits")
    fixed = label.encode() + context + bits.to_bytes(2, order)
    length = bits // 8
    blocks = b"".join(
        hmac.digest(key, index.to_bytes(2, order) + fixed, algorithm.value)
        for index in range(1, -(-length // algorithm.size) + 1)
    )
    return blocks[:length]


def hkdf_extract(algorithm: Hash, salt: bytes, secret: bytes) -> bytes:
    """HKDF-Extract; an empty salt stands for zeros of the hash's length."""
    return hmac.digest(salt or bytes(algorithm.size), secret, algorithm.value)


def hkdf_expand(algorithm: Hash, key: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand to `length` octets."""
    if not 0 < length <= 255 * algorithm.size:
        raise EncodeError(f"{length} octets asked of HKDF, expected 1 to {255 * algorithm.size}")
    block = output = b""
    index = 0
    while len(output) < length:
        index += 1
        block = hmac.digest(key, block + info + bytes((index,)), algorithm.value)
        output += block
    return output[:length]


def tls_prf(algorithm: Hash, secret: bytes, label: str, seed: bytes, length: int) -> bytes:
    """The PRF of TLS 1.2: P_hash over label and seed, to `length` octets."""
    data = label.encode("ascii") + seed
    chained, output = data, b""
    while len(output) < length:
        chained = hmac.digest(secret, chained, algorithm.value)
        output += hmac.digest(secret, chained + data, algorithm.value)
    return output[:length]

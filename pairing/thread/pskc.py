"""PSKc: the pre-shared key of a commissioner, derived from a passphrase, the network name and the extended PAN ID.

PBKDF2 with AES-CMAC-PRF-128 (RFC 4615), 16384 rounds, 16 bytes. Source: Thread specification, chapter 8.4.1.2.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from pairing.errors import EncodeError

ROUNDS = 16384
BLOCK = 16
MIN_PASSPHRASE, MAX_PASSPHRASE = 6, 255
MAX_NETWORK_NAME = 16


def pskc_salt(network_name: str | bytes, ext_pan_id: bytes) -> bytes:
    """The PBKDF2 salt: `Thread`, the extended PAN ID, the network name."""
    name = network_name.encode() if isinstance(network_name, str) else network_name
    if len(name) > MAX_NETWORK_NAME:
        raise EncodeError(f"network name has {len(name)} bytes, expected at most {MAX_NETWORK_NAME}")
    if len(ext_pan_id) != 8:
        raise EncodeError(f"extended PAN ID has {len(ext_pan_id)} bytes, expected 8")
    return b"Thread" + ext_pan_id + name


def derive_pskc(passphrase: str | bytes, network_name: str | bytes, ext_pan_id: bytes) -> bytes:
    """The 16-byte PSKc. Text is taken as UTF-8; a passphrase has 6 to 255 bytes."""
    password = passphrase.encode() if isinstance(passphrase, str) else passphrase
    if not MIN_PASSPHRASE <= len(password) <= MAX_PASSPHRASE:
        expected = f"{MIN_PASSPHRASE} to {MAX_PASSPHRASE}"
        raise EncodeError(f"passphrase has {len(password)} bytes, expected {expected}")
    salt = pskc_salt(network_name, ext_pan_id)
    key = password if len(password) == BLOCK else _cmac(bytes(BLOCK), password)
    first = _cmac(key, salt + (1).to_bytes(4, "big"))
    return _xor_blocks(first + _chain(key, first, ROUNDS - 1))


def _cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def _chain(key: bytes, first: bytes, rounds: int) -> bytes:
    """The CMAC of `first`, the CMAC of that, and so on.

    The CMAC of one whole block is AES(block XOR subkey). CBC computes AES(plaintext XOR previous ciphertext), so
    encrypting the subkey over and over from `first` as the initial vector is the whole chain in a single call.
    """
    encryptor = Cipher(algorithms.AES(key), modes.CBC(first)).encryptor()
    return encryptor.update(_first_subkey(key) * rounds)


def _first_subkey(key: bytes) -> bytes:
    """K1 of RFC 4493: AES of the zero block, doubled in GF(2^128)."""
    zero = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(bytes(BLOCK))  # noqa: S305  one block, not data
    number = int.from_bytes(zero, "big")
    doubled = number << 1 & (1 << 128) - 1
    return (doubled ^ 0x87 * (number >> 127)).to_bytes(BLOCK, "big")


def _xor_blocks(blocks: bytes) -> bytes:
    """All blocks XORed together, by folding one half onto the other; the number of blocks is a power of two."""
    number = int.from_bytes(blocks, "big")
    width = 8 * len(blocks)
    while width > 8 * BLOCK:
        width //= 2
        number = number >> width ^ number & (1 << width) - 1
    return number.to_bytes(BLOCK, "big")

"""Known mistakes in keys, records and Finished messages: which of them, if any, makes exactly what came.

Only one at a time is tried, so a hit is no guess. A wrong password fits none of them.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

from pairing.crypto.curves import P256
from pairing.crypto.kdf import Hash, tls_prf
from pairing.dtls.key_schedule import (
    CLIENT_LABEL,
    EXTENDED_MASTER_LABEL,
    KEY_BLOCK_LENGTH,
    MASTER_LABEL,
    MASTER_SECRET_LENGTH,
    SERVER_LABEL,
    DtlsKeys,
    verify_data,
)
from pairing.dtls.messages import HEADER_LENGTH, VERIFY_DATA_LENGTH
from pairing.dtls.record import EXPLICIT_NONCE_LENGTH, TAG_LENGTH, DtlsRecord, additional_data
from pairing.ecjpake.exchange import EcJpakeRole

KeyAndIv = tuple[bytes, bytes]


def known_record_mistake(
    record: DtlsRecord, keys: DtlsKeys, shared_x: bytes, session_hash: bytes, *, is_extended: bool, writer: EcJpakeRole
) -> str | None:
    """Why the first protected record of `writer` does not decrypt under `keys`, which are the right ones."""
    if len(record.fragment) < EXPLICIT_NONCE_LENGTH + TAG_LENGTH:
        return None
    for mistake, other in _other_keys(keys, shared_x, session_hash, is_extended=is_extended):
        if _opens(record, *_of(other, writer)):
            return mistake
    key, iv = _of(keys, writer)
    other_key, other_iv = _of(keys, writer.other)
    if _opens(record, other_key, other_iv):
        return f"keys of the {writer.other.value} for what the {writer.value} writes"
    if _opens(record, key, other_iv):
        return f"IV of the {writer.other.value} for what the {writer.value} writes"
    return _of_protection(record, key, iv)


def _of(keys: DtlsKeys, role: EcJpakeRole) -> KeyAndIv:
    if role is EcJpakeRole.CLIENT:
        return keys.client_write_key, keys.client_write_iv
    return keys.server_write_key, keys.server_write_iv


def _opens(record: DtlsRecord, key: bytes, iv: bytes) -> bool:
    explicit, sealed = record.fragment[:EXPLICIT_NONCE_LENGTH], record.fragment[EXPLICIT_NONCE_LENGTH:]
    if len(sealed) < TAG_LENGTH:
        return False
    return _decrypts(AESCCM(key, TAG_LENGTH), iv + explicit, sealed, additional_data(record, len(sealed) - TAG_LENGTH))


def _decrypts(cipher: AESCCM | AESGCM, nonce: bytes, sealed: bytes, associated: bytes) -> bool:
    try:
        cipher.decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError):
        return False
    return True


def _of_protection(record: DtlsRecord, key: bytes, iv: bytes) -> str | None:
    """The right keys, used in another way."""
    nonce, sealed = iv + record.fragment[:EXPLICIT_NONCE_LENGTH], record.fragment[EXPLICIT_NONCE_LENGTH:]
    if len(sealed) < 2 * TAG_LENGTH:
        return None
    cipher, plain = AESCCM(key, TAG_LENGTH), len(sealed) - TAG_LENGTH
    if _decrypts(AESCCM(key, 16), nonce, sealed, additional_data(record, len(sealed) - 16)):
        return "a tag of 16 octets (CCM), expected 8 (CCM_8)"
    if _decrypts(AESGCM(key), nonce, sealed, additional_data(record, len(sealed) - 16)):
        return "AES-GCM, expected AES-CCM with a tag of 8 octets"
    for length, name in ((len(sealed), "ciphertext"), (len(record.fragment), "record")):
        if _decrypts(cipher, nonce, sealed, additional_data(record, length)):
            return f"length of the {name} in the additional data, expected that of the plaintext"
    for other, mistake in (
        (replace(record, epoch=0), "no epoch in the additional data"),
        (replace(record, version=0x0303), "version of TLS in the additional data"),
    ):
        if _decrypts(cipher, nonce, sealed, additional_data(other, plain)):
            return mistake
    return None


def _other_keys(
    keys: DtlsKeys, shared_x: bytes, session_hash: bytes, *, is_extended: bool
) -> Iterator[tuple[str, DtlsKeys]]:
    """Mistake in the way to the keys -> the keys that it makes."""
    premaster, both = hashlib.sha256(shared_x).digest(), keys.client_random + keys.server_random
    turned = keys.server_random + keys.client_random
    label, seed = (EXTENDED_MASTER_LABEL, session_hash) if is_extended else (MASTER_LABEL, both)
    if is_extended:
        yield "plain master secret, expected the extended one", _keys(keys, premaster, MASTER_LABEL, both, turned)
    else:
        other = _keys(keys, premaster, EXTENDED_MASTER_LABEL, session_hash, turned)
        yield "extended master secret, which was not agreed on", other
        yield "server random first in the master secret", _keys(keys, premaster, MASTER_LABEL, turned, turned)
    yield "client random first in the key expansion", _keys(keys, premaster, label, seed, both)
    yield "the x coordinate as premaster secret, expected its SHA-256", _keys(keys, shared_x, label, seed, turned)
    backwards = hashlib.sha256(shared_x[::-1]).digest()
    yield "x coordinate in little endian in the premaster secret", _keys(keys, backwards, label, seed, turned)
    stripped = shared_x.lstrip(b"\0")
    if stripped != shared_x:
        short = hashlib.sha256(stripped).digest()
        yield "x coordinate without leading zeros in the premaster secret", _keys(keys, short, label, seed, turned)
    for y in _ordinates(shared_x):
        whole = hashlib.sha256(b"\x04" + shared_x + y).digest()
        yield "SHA-256 of the whole point, expected its x coordinate", _keys(keys, whole, label, seed, turned)


def _ordinates(x: bytes) -> Iterator[bytes]:
    root = P256.sqrt(P256.right_side(int.from_bytes(x, "big")))
    if root is not None:
        yield from (P256.encode_number(root), P256.encode_number(P256.p - root))


def _keys(keys: DtlsKeys, premaster: bytes, label: str, seed: bytes, expansion_seed: bytes) -> DtlsKeys:
    master = tls_prf(Hash.SHA256, premaster, label, seed, MASTER_SECRET_LENGTH)
    block = tls_prf(Hash.SHA256, master, "key expansion", expansion_seed, KEY_BLOCK_LENGTH)
    return replace(keys, master_secret=master, key_block=block)


def known_finished_mistake(
    value: bytes, keys: DtlsKeys, writer: EcJpakeRole, messages: Sequence[bytes], before: Sequence[bytes]
) -> str | None:
    """What else than the right transcript a Finished covers.

    `messages` are those that it should cover, with their headers; `before` those up to HelloVerifyRequest.
    """
    if len(value) != VERIFY_DATA_LENGTH:
        return f"verify_data of {len(value)} octets, expected {VERIFY_DATA_LENGTH}"
    label, other = CLIENT_LABEL, SERVER_LABEL
    if writer is EcJpakeRole.SERVER:
        label, other = other, label
    if value == verify_data(keys, other, _hash(messages)):
        return f"label '{other}', expected '{label}'"
    return next(
        (name for name, hashed in _other_hashes(messages, before) if value == verify_data(keys, label, hashed)), None
    )


def _hash(messages: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"".join(messages)).digest()


def _other_hashes(messages: Sequence[bytes], before: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Mistake -> what is hashed for it."""
    if before:
        yield "the first ClientHello and HelloVerifyRequest in the transcript", _hash([*before, *messages])
        yield "HelloVerifyRequest in the transcript", _hash([*before[1:], *messages])
    yield (
        "messages with the headers of TLS in the transcript",
        _hash([each[:4] + each[HEADER_LENGTH:] for each in messages]),
    )
    yield "messages without headers in the transcript", _hash([each[HEADER_LENGTH:] for each in messages])
    yield "the last message missing in the transcript", _hash(messages[:-1])
    yield "the first message missing in the transcript", _hash(messages[1:])
    yield "the transcript itself, expected its hash", b"".join(messages)
    numbered = [each[:4] + bytes(2) + each[6:] for each in messages]
    yield "messages without their numbers in the transcript", _hash(numbered)

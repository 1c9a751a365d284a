"""DTLS records: cutting a datagram into records, AES-CCM-8 protection, and the window that refuses replays.

Source: RFC 6347, section 4.1; RFC 6655 (AES-CCM cipher suites). The nonce is the write IV and the eight explicit octets
that the record carries; a sender puts epoch and sequence number there, a receiver takes what came.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from pairing.errors import AuthenticationError, EncodeError
from pairing.wire import Reader, Writer

DTLS_1_0 = 0xFEFF
DTLS_1_2 = 0xFEFD
HEADER_LENGTH = 13
EXPLICIT_NONCE_LENGTH = 8
TAG_LENGTH = 8
PROTECTION_OVERHEAD = EXPLICIT_NONCE_LENGTH + TAG_LENGTH
LARGEST_PLAINTEXT = 1 << 14
LARGEST_SEQUENCE = (1 << 48) - 1


class ContentType(IntEnum):
    """What a record carries."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


@dataclass(frozen=True, slots=True)
class DtlsRecord:
    """One record: type(1) version(2) epoch(2) sequence number(6) length(2) fragment. In epoch 1 it is encrypted."""

    content_type: int
    version: int
    epoch: int
    sequence: int
    fragment: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The record as it travels."""
        writer = Writer().u8(self.content_type).u16be(self.version).u16be(self.epoch).u48be(self.sequence)
        return writer.block16be(self.fragment).getvalue()

    @classmethod
    def read(cls, reader: Reader) -> "DtlsRecord":
        """The next record of a datagram."""
        content_type, version = reader.u8("content type"), reader.u16be("version")
        epoch, sequence = reader.u16be("epoch"), reader.u48be("sequence number")
        return cls(content_type, version, epoch, sequence, reader.take(reader.u16be("length"), "record"))

    @property
    def epoch_and_sequence(self) -> bytes:
        """The two numbers as eight octets, as nonce and additional data need them."""
        return self.epoch.to_bytes(2, "big") + self.sequence.to_bytes(6, "big")


def decode_records(datagram: bytes) -> tuple[DtlsRecord, ...]:
    """All records of a datagram; raises DecodeError for an empty one and where one does not fit."""
    reader = Reader(datagram)
    records = [DtlsRecord.read(reader)]
    while reader.remaining:
        records.append(DtlsRecord.read(reader))
    return tuple(records)


class WriteProtection:
    """Encrypts records with one key and IV; the explicit part of the nonce is epoch and sequence number."""

    __slots__ = ("_cipher", "_iv")

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._cipher = AESCCM(key, TAG_LENGTH)
        self._iv = iv

    def protect(self, record: DtlsRecord) -> DtlsRecord:
        """The record with its fragment encrypted."""
        explicit = record.epoch_and_sequence
        sealed = self._cipher.encrypt(
            self._iv + explicit, record.fragment, additional_data(record, len(record.fragment))
        )
        return DtlsRecord(record.content_type, record.version, record.epoch, record.sequence, explicit + sealed)


class ReadProtection:
    """Decrypts records with one key and IV."""

    __slots__ = ("_cipher", "_iv")

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._cipher = AESCCM(key, TAG_LENGTH)
        self._iv = iv

    def open(self, record: DtlsRecord) -> bytes:
        """The plaintext; raises AuthenticationError for whatever this key has not made."""
        explicit, sealed = record.fragment[:EXPLICIT_NONCE_LENGTH], record.fragment[EXPLICIT_NONCE_LENGTH:]
        try:
            if len(sealed) < TAG_LENGTH:
                raise InvalidTag
            plaintext = self._cipher.decrypt(
                self._iv + explicit, sealed, additional_data(record, len(sealed) - TAG_LENGTH)
            )
        except InvalidTag:
            raise AuthenticationError("DTLS record does not decrypt under the keys of this connection") from None
        return plaintext


def additional_data(record: DtlsRecord, plaintext_length: int) -> bytes:
    """What is authenticated beside the plaintext: epoch, sequence number, type, version, length."""
    head = record.epoch_and_sequence + bytes((record.content_type,)) + record.version.to_bytes(2, "big")
    return head + plaintext_length.to_bytes(2, "big")


class ReplayWindow:
    """Which sequence numbers of one epoch have been seen: the highest, and the 64 below it.

    Older ones are refused where records prove themselves. In clear they pass: there a single forged record with a high
    number would otherwise shut out everything that the peer sends.
    """

    WIDTH = 64
    __slots__ = ("_highest", "_is_in_clear", "_seen")

    def __init__(self, *, is_in_clear: bool = False) -> None:
        self._is_in_clear = is_in_clear
        self._highest = -1
        self._seen = 0

    def is_fresh(self, sequence: int) -> bool:
        """Whether a record with this number may still be taken."""
        age = self._highest - sequence
        if age >= self.WIDTH:
            return self._is_in_clear
        return age < 0 or not self._seen >> age & 1

    def mark(self, sequence: int) -> None:
        """Note the number of a record that has been taken."""
        ahead = sequence - self._highest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, self.WIDTH) | 1) & ((1 << self.WIDTH) - 1)
            self._highest = sequence
        elif -ahead < self.WIDTH:
            self._seen |= 1 << -ahead


def check_plaintext(fragment: bytes) -> None:
    """Raise EncodeError unless the fragment fits a record."""
    if len(fragment) > LARGEST_PLAINTEXT:
        raise EncodeError(f"DTLS record of {len(fragment)} octets, expected at most {LARGEST_PLAINTEXT}")

"""Handshake messages: the DTLS header, fragments of messages, and the bodies that EC-JPAKE needs.

What is unknown is kept with its octets, so that an encoded decoding is the original: the transcript depends on it.
Source: RFC 6347, section 4.2.2; RFC 5246, section 7.4; draft-cragie-tls-ecjpake-01, section 7.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum

from pairing.dtls.record import DTLS_1_2
from pairing.ecjpake.proof import KeyKp
from pairing.errors import DecodeError, EncodeError
from pairing.wire import Reader, Writer

HEADER_LENGTH = 12
RANDOM_LENGTH = 32
VERIFY_DATA_LENGTH = 12
SECP256R1 = 23
NAMED_CURVE = 3


class HandshakeType(IntEnum):
    """Handshake messages that this suite has."""

    HELLO_REQUEST = 0
    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    HELLO_VERIFY_REQUEST = 3
    SERVER_KEY_EXCHANGE = 12
    SERVER_HELLO_DONE = 14
    CLIENT_KEY_EXCHANGE = 16
    FINISHED = 20


class CipherSuite(IntEnum):
    """Cipher suites by name; SCSV says that the client knows of secure renegotiation."""

    ECJPAKE_WITH_AES_128_CCM_8 = 0xC0FF
    EMPTY_RENEGOTIATION_INFO_SCSV = 0x00FF


class ExtensionType(IntEnum):
    """Hello extensions by name; others pass as plain integers."""

    SERVER_NAME = 0
    MAX_FRAGMENT_LENGTH = 1
    SUPPORTED_GROUPS = 10
    EC_POINT_FORMATS = 11
    SIGNATURE_ALGORITHMS = 13
    ENCRYPT_THEN_MAC = 22
    EXTENDED_MASTER_SECRET = 23
    SESSION_TICKET = 35
    ECJPAKE_KEY_KP_PAIR = 256
    RENEGOTIATION_INFO = 0xFF01


@dataclass(frozen=True, slots=True)
class HandshakeMessage:
    """A whole message: type(1) length(3) message_seq(2) fragment_offset(3) fragment_length(3) body."""

    msg_type: int
    message_seq: int
    body: bytes = field(repr=False)

    def encode(self) -> bytes:
        """As one fragment: the form that the transcript hashes."""
        return HandshakeFragment(self.msg_type, len(self.body), self.message_seq, 0, self.body).encode()

    def fragments(self, largest: int) -> list["HandshakeFragment"]:
        """The message in fragments of at most `largest` octets, headers included."""
        room = largest - HEADER_LENGTH
        if room < 1:
            raise EncodeError(f"no room for a handshake fragment in {largest} octets")
        return [
            HandshakeFragment(
                self.msg_type, len(self.body), self.message_seq, offset, self.body[offset : offset + room]
            )
            for offset in range(0, max(len(self.body), 1), room)
        ]


@dataclass(frozen=True, slots=True)
class HandshakeFragment:
    """A part of a message: the header of the whole, and the octets from `offset` on."""

    msg_type: int
    length: int
    message_seq: int
    offset: int
    body: bytes = field(repr=False)

    def encode(self) -> bytes:
        """Header and part."""
        writer = Writer().u8(self.msg_type).u24be(self.length).u16be(self.message_seq)
        return writer.u24be(self.offset).u24be(len(self.body)).raw(self.body).getvalue()

    @classmethod
    def read(cls, reader: Reader) -> "HandshakeFragment":
        """The next fragment of a record."""
        msg_type, length, message_seq = reader.u8("type"), reader.u24be("length"), reader.u16be("message_seq")
        offset, part = reader.u24be("fragment_offset"), reader.u24be("fragment_length")
        if offset + part > length:
            raise reader.fail(f"fragment ends at {offset + part}, the message at {length}")
        return cls(msg_type, length, message_seq, offset, reader.take(part, "fragment"))

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its message."""
        return len(self.body) == self.length


def decode_fragments(record: bytes) -> tuple[HandshakeFragment, ...]:
    """All fragments of a record; raises DecodeError for an empty one and where one does not fit."""
    reader = Reader(record)
    fragments = [HandshakeFragment.read(reader)]
    while reader.remaining:
        fragments.append(HandshakeFragment.read(reader))
    return tuple(fragments)


@dataclass(frozen=True, slots=True)
class Extension:
    """A hello extension: type(2) length(2) body."""

    extension_type: int
    body: bytes = b""


def find_extension(extensions: Iterable[Extension], wanted: int) -> bytes | None:
    """The body of the first extension of a type, or None."""
    return next((each.body for each in extensions if each.extension_type == wanted), None)


def _read_extensions(reader: Reader) -> tuple[Extension, ...] | None:
    """The extensions that end a hello; None if it ends without the block, which may be left out."""
    if not reader.remaining:
        return None
    block = reader.sub(reader.u16be("length of extensions"), "extensions")
    extensions: list[Extension] = []
    while block.remaining:
        kind = block.u16be("extension type")
        if any(kind == each.extension_type for each in extensions):
            raise block.fail(f"extension {kind} comes twice")
        extensions.append(Extension(kind, block.take(block.u16be("length of extension"), "extension")))
    reader.expect_end("hello")
    return tuple(extensions)


def _write_extensions(writer: Writer, extensions: tuple[Extension, ...] | None) -> bytes:
    if extensions is None:
        return writer.getvalue()
    block = Writer()
    for each in extensions:
        block.u16be(each.extension_type).block16be(each.body)
    return writer.block16be(block.getvalue()).getvalue()


@dataclass(frozen=True, slots=True)
class ClientHello:
    """version(2) random(32) session_id<0..32> cookie<0..255> cipher_suites<2..> compression<1..> extensions."""

    random: bytes
    cipher_suites: tuple[int, ...]
    extensions: tuple[Extension, ...] | None
    version: int = DTLS_1_2
    session_id: bytes = b""
    cookie: bytes = b""
    compression_methods: bytes = b"\0"

    def encode(self) -> bytes:
        """The body of the message."""
        writer = Writer().u16be(self.version).raw(self.random).block8(self.session_id).block8(self.cookie)
        suites = b"".join(suite.to_bytes(2, "big") for suite in self.cipher_suites)
        return _write_extensions(writer.block16be(suites).block8(self.compression_methods), self.extensions)

    @classmethod
    def decode(cls, body: bytes) -> "ClientHello":
        """The hello that fills `body`."""
        return cls.read(Reader(body))

    @classmethod
    def read(cls, reader: Reader) -> "ClientHello":
        """Read a hello up to the end."""
        version, random = reader.u16be("version"), reader.take(RANDOM_LENGTH, "random")
        session_id = reader.take(reader.u8("length of session_id"), "session_id")
        cookie = reader.take(reader.u8("length of cookie"), "cookie")
        suites = reader.take(reader.u16be("length of cipher_suites"), "cipher_suites")
        if len(suites) % 2 or not suites:
            raise reader.fail(f"cipher_suites has {len(suites)} octets, expected pairs")
        compression = reader.take(reader.u8("length of compression_methods"), "compression_methods")
        if not compression:
            raise reader.fail("compression_methods is empty")
        numbers = tuple(int.from_bytes(suites[at : at + 2], "big") for at in range(0, len(suites), 2))
        return cls(random, numbers, _read_extensions(reader), version, session_id, cookie, compression)

    def extension(self, wanted: int) -> bytes | None:
        """The body of an extension, or None."""
        return find_extension(self.extensions or (), wanted)

    def with_cookie(self, cookie: bytes) -> "ClientHello":
        """The same hello with a cookie."""
        return replace(self, cookie=cookie)


@dataclass(frozen=True, slots=True)
class HelloVerifyRequest:
    """server_version(2) cookie<0..255>."""

    cookie: bytes
    version: int = DTLS_1_2

    def encode(self) -> bytes:
        """The body of the message."""
        return Writer().u16be(self.version).block8(self.cookie).getvalue()

    @classmethod
    def decode(cls, body: bytes) -> "HelloVerifyRequest":
        """The message that fills `body`."""
        return cls.read(Reader(body))

    @classmethod
    def read(cls, reader: Reader) -> "HelloVerifyRequest":
        """Read the message up to the end."""
        version = reader.u16be("version")
        cookie = reader.take(reader.u8("length of cookie"), "cookie")
        reader.expect_end("HelloVerifyRequest")
        return cls(cookie, version)


@dataclass(frozen=True, slots=True)
class ServerHello:
    """version(2) random(32) session_id<0..32> cipher_suite(2) compression_method(1) extensions."""

    random: bytes
    session_id: bytes
    extensions: tuple[Extension, ...] | None
    cipher_suite: int = CipherSuite.ECJPAKE_WITH_AES_128_CCM_8
    version: int = DTLS_1_2
    compression_method: int = 0

    def encode(self) -> bytes:
        """The body of the message."""
        writer = Writer().u16be(self.version).raw(self.random).block8(self.session_id)
        return _write_extensions(writer.u16be(self.cipher_suite).u8(self.compression_method), self.extensions)

    @classmethod
    def decode(cls, body: bytes) -> "ServerHello":
        """The hello that fills `body`."""
        return cls.read(Reader(body))

    @classmethod
    def read(cls, reader: Reader) -> "ServerHello":
        """Read a hello up to the end."""
        version, random = reader.u16be("version"), reader.take(RANDOM_LENGTH, "random")
        session_id = reader.take(reader.u8("length of session_id"), "session_id")
        suite, compression = reader.u16be("cipher_suite"), reader.u8("compression_method")
        return cls(random, session_id, _read_extensions(reader), suite, version, compression)

    def extension(self, wanted: int) -> bytes | None:
        """The body of an extension, or None."""
        return find_extension(self.extensions or (), wanted)


def encode_key_pairs(pairs: tuple[KeyKp, KeyKp]) -> bytes:
    """The body of ecjpake_key_kp_pair: two key pairs, no length before them."""
    return pairs[0].encode() + pairs[1].encode()


def decode_key_pairs(body: bytes) -> tuple[KeyKp, KeyKp]:
    """The two key pairs that fill the extension."""
    reader = Reader(body)
    pairs = KeyKp.read(reader), KeyKp.read(reader)
    reader.expect_end("ecjpake_key_kp_pair")
    return pairs


def encode_server_key_exchange(pair: KeyKp) -> bytes:
    """The body of ServerKeyExchange: curve_type(1) = named_curve, namedcurve(2) = secp256r1, one key pair."""
    return Writer().u8(NAMED_CURVE).u16be(SECP256R1).raw(pair.encode()).getvalue()


def decode_server_key_exchange(body: bytes) -> KeyKp:
    """Its key pair; another curve is refused."""
    reader = Reader(body)
    curve_type, curve = reader.u8("curve_type"), reader.u16be("namedcurve")
    if (curve_type, curve) != (NAMED_CURVE, SECP256R1):
        raise DecodeError(0, f"curve type {curve_type}, curve {curve}, expected 3, 23 (secp256r1)")
    pair = KeyKp.read(reader)
    reader.expect_end("ServerKeyExchange")
    return pair


def decode_client_key_exchange(body: bytes) -> KeyKp:
    """The key pair of ClientKeyExchange, which is nothing else."""
    reader = Reader(body)
    pair = KeyKp.read(reader)
    reader.expect_end("ClientKeyExchange")
    return pair

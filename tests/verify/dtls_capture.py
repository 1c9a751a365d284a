"""A recorded DTLS connection: what a file gives to each side, and its datagrams cut into records and messages.

The format is described in tests/vectors/thread/README.md, "Files with `datagrams`".
"""

from dataclasses import dataclass
from typing import Any

from pairing.dtls.client import DtlsClient
from pairing.dtls.flights import Reassembler
from pairing.dtls.key_schedule import DtlsKeys
from pairing.dtls.messages import Extension, ExtensionType, HandshakeMessage, HandshakeType, decode_fragments
from pairing.dtls.record import ContentType, DtlsRecord, ReadProtection, WriteProtection, decode_records
from pairing.dtls.server import DtlsServer
from pairing.dtls.settings import ClientHelloShape, ConnectionPolicy, DtlsSettings, DtlsTimes, ServerHelloShape
from pairing.engine import Address, Endpoint
from pairing.errors import AuthenticationError, DecodeError
from tests.support.recorded_entropy import RecordedEntropy
from tests.verify.mismatch import Mismatch, compare

CLIENT, SERVER = Endpoint("192.0.2.1", 49200), Endpoint("192.0.2.2", 49191)
FIRST_WAITS = {True: 1_000_000, False: 8_000_000}  # Mbed TLS's programs, which name their options; Thread stacks


@dataclass(frozen=True)
class Datagram:
    """One datagram of the file."""

    index: int
    direction: str
    now: int
    is_lost: bool
    octets: bytes
    records: tuple[DtlsRecord, ...]


class RecordedCookie:
    """The file's cookie, whoever asks."""

    def __init__(self, cookie: bytes) -> None:
        self._cookie = cookie

    def make(self, peer: Address) -> bytes:
        """The cookie."""
        return self._cookie


class Capture:
    """One document, or the joiner's connection inside one."""

    def __init__(self, document: dict[str, Any], member: str = "") -> None:
        self.document = document
        self.member = member
        self.datagrams = [_datagram(index, each) for index, each in enumerate(document["datagrams"])]

    def path(self, name: str) -> str:
        """Where a member is in the whole file."""
        return f"{self.member}{name}"

    def octets(self, name: str) -> bytes:
        """A member as octets."""
        return bytes.fromhex(self.document[name])

    def password(self, side: str) -> bytes:
        """The password that a side uses."""
        names = (f"{side}_password_hex", "password_hex", "joiner_password_hex")
        return self.octets(next(name for name in names if name in self.document))

    def client(self) -> DtlsClient:
        """The client with the file's inputs."""
        entropy = RecordedEntropy(self.client_draws())
        return DtlsClient(SERVER, self.password("client"), entropy, self.client_settings())

    def client_draws(self) -> list[bytes]:
        """What the client draws, in order."""
        return [self.octets("client_random"), *self._scalars("client_private", "x1", "x2")]

    def client_settings(self) -> DtlsSettings:
        """What the client is made like."""
        hello = self.document["hello_inputs"]
        suites = self.octets("client_hello_suites")
        shape = ClientHelloShape(
            version=int(hello["client_version"], 16),
            session_id=bytes.fromhex(hello["client_session_id"]),
            cipher_suites=tuple(int.from_bytes(suites[at : at + 2], "big") for at in range(0, len(suites), 2)),
            compression_methods=bytes.fromhex(hello["client_compression_methods"]),
            extensions=_extensions(self.document["client_hello_extensions"]),
        )
        return DtlsSettings(client_hello=shape, **self._limits("client"))

    def server(self) -> DtlsServer:
        """The server with the file's inputs."""
        entropy = RecordedEntropy(self.server_draws())
        return DtlsServer(self.password("server"), entropy, self.server_settings(), ConnectionPolicy(), self.cookies())

    def cookies(self) -> RecordedCookie:
        """Where the server's cookies come from."""
        return RecordedCookie(bytes.fromhex(self.document["hello_inputs"]["cookie"] or ""))

    def server_draws(self) -> list[bytes]:
        """What the server draws, in order."""
        session_id = bytes.fromhex(self.document["hello_inputs"]["server_session_id"])
        scalars = self._scalars("server_private", "x3", "x4")
        return [self.octets("server_random"), *([session_id] if session_id else []), *scalars]

    def server_settings(self) -> DtlsSettings:
        """What the server is made like."""
        hello = self.document["hello_inputs"]
        session_id = bytes.fromhex(hello["server_session_id"])
        shape = ServerHelloShape(
            version=int(hello["server_version"], 16),
            session_id_length=len(session_id),
            cipher_suite=int(hello["server_suite"], 16),
            compression_method=int(hello["server_compression"], 16),
            extensions=_extensions(self.document["server_hello_extensions"]),
        )
        return DtlsSettings(
            server_hello=shape,
            cookie_exchange=hello["cookie"] is not None,
            hello_verify_version=int(hello["hello_verify_version"] or "fefd", 16),
            **self._limits("server"),
        )

    def _limits(self, side: str) -> dict[str, Any]:
        """What the peer was told of sizes and times."""
        options = dict(each.partition("=")[::2] for each in self.document.get(f"{side}_options", ()))
        first = FIRST_WAITS[f"{side}_options" in self.document]
        longest = 60_000_000
        if "hs_timeout" in options:
            first, longest = (1000 * int(each) for each in options["hs_timeout"].split("-"))
        times = DtlsTimes(first_wait=first, longest_wait=longest)
        return {"times": times} | ({"mtu": int(options["mtu"])} if "mtu" in options else {})

    def _scalars(self, name: str, first: str, second: str) -> list[bytes]:
        """Scalars and proof nonces in the order in which they are drawn."""
        private = self.document[name]
        nonces = private["zkp_nonces_in_order"]
        order = (private[first], nonces[0], private[second], nonces[1], nonces[2])
        return [bytes.fromhex(each.zfill(64)) for each in order]

    # What the datagrams say

    def messages(self, direction: str, keys: DtlsKeys | None) -> dict[int, HandshakeMessage]:
        """The handshake messages of one direction, put together; repeated fragments have to be equal."""
        reassembler = Reassembler(0, 1 << 16)
        found: dict[int, HandshakeMessage] = {}
        fragments = []
        for datagram in self.datagrams:
            for record in datagram.records if datagram.direction == direction else ():
                plaintext = opened(record, direction, keys)
                if record.content_type != ContentType.HANDSHAKE or plaintext is None:
                    continue
                fragments += [(datagram.index, each) for each in decode_fragments(plaintext)]
        for _, fragment in fragments:
            try:
                reassembler.add(fragment)
            except DecodeError:
                continue  # repeated, compared below
            while (message := reassembler.next_message()) is not None:
                found[message.message_seq] = message
        for index, fragment in fragments:
            message = found.get(fragment.message_seq)
            end = fragment.offset + len(fragment.body)
            if message is not None:
                part = message.body[fragment.offset : end].hex()
                compare(self.path(f"datagrams[{index}].hex (fragment)"), fragment.body.hex(), part)
        return found

    def sent(self, direction: str, content_type: ContentType, keys: DtlsKeys | None) -> list[bytes]:
        """The plaintexts of one direction and content type, in order; None where one does not decrypt."""
        found = []
        for datagram in self.datagrams:
            for record in datagram.records if datagram.direction == direction else ():
                if record.content_type == content_type:
                    plaintext = opened(record, direction, keys)
                    if plaintext is None:
                        raise Mismatch(self.path(f"datagrams[{datagram.index}].hex"), "a record that decrypts", None)
                    found.append(plaintext)
        return found

    def check_sealing(self, keys: DtlsKeys) -> None:
        """Each record that decrypts is what our protection makes of its plaintext."""
        for datagram in self.datagrams:
            key, iv = _write_key(datagram.direction, keys)
            for record in datagram.records:
                plaintext = opened(record, datagram.direction, keys) if record.epoch else None
                if plaintext is not None:
                    plain = DtlsRecord(record.content_type, record.version, record.epoch, record.sequence, plaintext)
                    sealed = WriteProtection(key, iv).protect(plain).encode().hex()
                    compare(self.path(f"datagrams[{datagram.index}].hex"), record.encode().hex(), sealed)

    def described(self, keys: DtlsKeys | None) -> list[dict[str, Any]]:
        """`records` as the file has it, under the given keys."""
        return [_described(datagram, record, keys) for datagram in self.datagrams for record in datagram.records]


def opened(record: DtlsRecord, direction: str, keys: DtlsKeys | None) -> bytes | None:
    """The plaintext of a record, or None where it does not decrypt."""
    if not record.epoch:
        return record.fragment
    if keys is None:
        return None
    try:
        return ReadProtection(*_write_key(direction, keys)).open(record)
    except AuthenticationError:
        return None


def _write_key(direction: str, keys: DtlsKeys) -> tuple[bytes, bytes]:
    if direction == "c2s":
        return keys.client_write_key, keys.client_write_iv
    return keys.server_write_key, keys.server_write_iv


def _datagram(index: int, given: dict[str, Any]) -> Datagram:
    octets = bytes.fromhex(given["hex"])
    now, is_lost = round(given.get("t", 0) * 1_000_000), bool(given.get("lost", False))
    return Datagram(index, given["dir"], now, is_lost, octets, decode_records(octets))


def _extensions(given: dict[str, str]) -> tuple[Extension, ...]:
    """The extensions in the file's order; of the key pairs only the place counts."""
    key_pairs = ExtensionType.ECJPAKE_KEY_KP_PAIR
    return tuple(
        Extension(int(kind, 16), b"" if int(kind, 16) == key_pairs else bytes.fromhex(body))
        for kind, body in given.items()
    )


def _described(datagram: Datagram, record: DtlsRecord, keys: DtlsKeys | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "datagram": datagram.index,
        "dir": datagram.direction,
        "content_type": ContentType(record.content_type).name.lower(),
        "version": f"{record.version:04x}",
        "epoch": record.epoch,
        "seq": record.sequence,
        "length": len(record.fragment),
    }
    if datagram.is_lost:
        described["lost"] = True
    if record.epoch or record.content_type != ContentType.HANDSHAKE:
        plaintext = opened(record, datagram.direction, keys)
        described["plaintext"] = None if plaintext is None else plaintext.hex()
    else:
        described["handshake"] = [
            {
                "msg": HandshakeType(each.msg_type).name.lower(),
                "length": each.length,
                "message_seq": each.message_seq,
                "frag_offset": each.offset,
                "frag_length": len(each.body),
            }
            for each in decode_fragments(record.fragment)
        ]
    return described

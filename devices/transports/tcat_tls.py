"""TCAT's TLS 1.2 by Python's ssl over memory, and a plaintext stand-in with the same face for virtual time.

Either end: feed what the stream brings, get plaintext, and take what is to be sent. Python's ssl can neither name the
trusted authority in CertificateRequest nor restrict the signature algorithm, and refuses a wrong version with an alert
of its own, which is put right here. Dates are not checked, as devices have no clock.
Source: Thread 1.4 specification, chapter 13; RFC 5246; RFC 5289.
"""

import os
import ssl
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pairing.errors import DecodeError
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.wire import Reader, Writer

CIPHERS = "ECDHE-ECDSA-AES128-GCM-SHA256"
LONGEST_ANSWER = 800
"""Devices put no more into one record."""
_NO_CHECK_TIME = 0x200000
_READ = 16_384
_ALERT_HEAD = b"\x15\x03"
_FATAL = 2
_HANDSHAKE_FAILURE = 40
_PROTOCOL_VERSION = 70
_HANDSHAKE, _DATA, _ALERT = 22, 23, 21


class TlsRefusedError(Exception):
    """The handshake came to nothing; what is left to send is the alert."""


@dataclass(slots=True)
class Heard:
    """What some bytes of the stream led to."""

    plaintext: list[bytes] = field(default_factory=list)
    established: bool = False
    closed: bool = False


class SecureChannel(Protocol):
    """One end of a protected stream."""

    is_simulated: bool

    def begin(self) -> None:
        """A client says hello."""

    def receive(self, data: bytes) -> Heard:
        """Bytes of the stream. Raises TlsRefusedError."""

    def send(self, plaintext: bytes) -> None:
        """Protect a message, in one record."""

    def close(self) -> None:
        """Say close_notify."""

    def take(self) -> bytes:
        """What is to be sent now."""

    def peer(self) -> ThreadCertificate:
        """The other end's certificate, after the handshake. Raises DecodeError."""


def server_context(certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    """A device's: the leaf alone, a client certificate is needed, one suite."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ecdh_curve("prime256v1")
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    return _common(context, certificate, key, authority)


def client_context(certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    """A commissioner's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    return _common(context, certificate, key, authority)


def _common(context: ssl.SSLContext, certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= _NO_CHECK_TIME  # X509_V_FLAG_NO_CHECK_TIME has no name in ssl
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    return context


class KeyLog:
    """The secrets of connections, as lines that Wireshark reads. They go through a pipe, never to a disk.

    It takes 64 KiB: take what is there before each handshake. Where a system opens no pipe by name there are none.
    """

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        os.set_blocking(reading, False)
        self._pipe = os.fdopen(reading, "rb", buffering=0)

    def watch(self, context: ssl.SSLContext) -> None:
        """Connections of this context from now on."""
        with suppress(OSError):
            context.keylog_filename = f"/dev/fd/{self._writing}"

    def take(self) -> str:
        """What has been written since."""
        return (self._pipe.read() or b"").decode("ascii", "replace")

    def close(self) -> None:
        """Its connections are over."""
        os.close(self._writing)
        self._pipe.close()


class TlsChannel:
    """TLS over memory."""

    is_simulated = False

    def __init__(self, context: ssl.SSLContext, *, server: bool) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server)
        self._is_established = False
        self._is_closed = False
        self._left = b""

    def begin(self) -> None:
        """A client says hello."""
        self._shake()

    def receive(self, data: bytes) -> Heard:
        """Bytes of the stream. Raises TlsRefusedError."""
        self._incoming.write(data)
        heard = Heard()
        if not self._is_established:
            heard.established = self._shake()
            if not heard.established:
                return heard
        try:
            while not self._is_closed:
                plaintext = self._tls.read(_READ)
                if not plaintext:
                    raise ssl.SSLZeroReturnError
                heard.plaintext.append(plaintext)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:  # close_notify, or something that does not decrypt
            heard.closed = self._is_closed = True
        return heard

    def send(self, plaintext: bytes) -> None:
        """Protect a message, in one record; nothing after the end."""
        if self._is_established and not self._is_closed:
            self._tls.write(plaintext)

    def close(self) -> None:
        """Say close_notify."""
        try:
            self._tls.unwrap()
        except (ssl.SSLError, ValueError):
            pass  # it wants the other end's, which need not come
        self._is_closed = True

    def take(self) -> bytes:
        """What is to be sent now."""
        sent, self._left = self._left + self._outgoing.read(), b""
        return sent

    def peer(self) -> ThreadCertificate:
        """The other end's certificate. Raises DecodeError."""
        der = self._tls.getpeercert(binary_form=True)
        if der is None:
            raise DecodeError(0, "no certificate was shown")
        return ThreadCertificate.decode(der)

    def _shake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as problem:
            self._left = _as_devices_say_it(self._outgoing.read())
            self._is_closed = True
            raise TlsRefusedError(problem.reason or "handshake failed") from None
        self._is_established = True
        return True


def _as_devices_say_it(sent: bytes) -> bytes:
    """A wrong version is a failed handshake, with devices."""
    if sent[-7:-5] == _ALERT_HEAD and sent[-2:] == bytes((_FATAL, _PROTOCOL_VERSION)):
        return sent[:-1] + bytes((_HANDSHAKE_FAILURE,))
    return sent


class SimulatedTls:
    """The same face without secrets: each end shows a certificate, then records in the clear of version 0.0."""

    is_simulated = True

    def __init__(self, own: ThreadCertificate, *, server: bool) -> None:
        self._own = own
        self._is_server = server
        self._peer: ThreadCertificate | None = None
        self._buffer = b""
        self._out = b""

    def begin(self) -> None:
        """A client shows its certificate."""
        self._put(_HANDSHAKE, encode_simulated(self._own))

    def receive(self, data: bytes) -> Heard:
        """Bytes of the stream. Raises TlsRefusedError."""
        self._buffer += data
        heard = Heard()
        while len(self._buffer) >= 5 and len(self._buffer) >= 5 + int.from_bytes(self._buffer[3:5], "big"):
            kind, length = self._buffer[0], int.from_bytes(self._buffer[3:5], "big")
            body, self._buffer = self._buffer[5 : 5 + length], self._buffer[5 + length :]
            if kind == _HANDSHAKE and self._peer is None:
                self._meet(body)
                heard.established = True
            elif kind == _DATA and self._peer is not None:
                heard.plaintext.append(body)
            else:
                heard.closed = True
        return heard

    def _meet(self, body: bytes) -> None:
        try:
            self._peer = decode_simulated(body)
        except DecodeError as problem:
            self._put(_ALERT, bytes((_FATAL, _HANDSHAKE_FAILURE)))
            raise TlsRefusedError(problem.reason) from None
        if self._is_server:
            self.begin()

    def send(self, plaintext: bytes) -> None:
        """A message in a record."""
        self._put(_DATA, plaintext)

    def close(self) -> None:
        """Say close_notify."""
        self._put(_ALERT, bytes(2))

    def take(self) -> bytes:
        """What is to be sent now."""
        sent, self._out = self._out, b""
        return sent

    def peer(self) -> ThreadCertificate:
        """The other end's certificate. Raises DecodeError."""
        if self._peer is None:
            raise DecodeError(0, "no certificate was shown")
        return self._peer

    def _put(self, kind: int, body: bytes) -> None:
        self._out += Writer().u8(kind).u16be(0).block16be(body).getvalue()


def encode_simulated(certificate: ThreadCertificate) -> bytes:
    """What stands for a certificate where nothing is signed: the Thread extensions, then the public key."""
    writer = Writer().u8(len(certificate.extensions))
    for number, element in sorted(certificate.extensions.items()):
        writer.u8(number).block8(element)
    return writer.raw(certificate.spki).getvalue()


def decode_simulated(body: bytes) -> ThreadCertificate:
    """And back. Raises DecodeError."""
    reader = Reader(body)
    extensions = {}
    for _ in range(reader.u8("number of extensions")):
        number = reader.u8("extension")
        extensions[number] = reader.take(reader.u8("length"), "extension")
    return ThreadCertificate(der=body, spki=reader.rest(), extensions=extensions, subject="simulated")

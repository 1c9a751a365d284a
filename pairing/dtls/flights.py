"""Flights: messages put together from fragments, messages cut into records and packed into datagrams, the transcript.

When a flight goes out again is `connection`'s business. Source: RFC 6347, 4.2.3 (fragmentation) and 4.2.4 (flights).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from pairing.dtls.messages import HEADER_LENGTH as HANDSHAKE_HEADER
from pairing.dtls.messages import HandshakeFragment, HandshakeMessage
from pairing.dtls.record import HEADER_LENGTH, PROTECTION_OVERHEAD, ContentType, DtlsRecord
from pairing.errors import DecodeError

AHEAD = 8
"""So many messages beyond the expected one are kept while earlier ones are missing."""

CHANGE_CIPHER_SPEC = b"\x01"


class _Partial:
    """A message of which fragments have come."""

    __slots__ = ("_body", "_missing", "length", "message_seq", "msg_type")

    def __init__(self, fragment: HandshakeFragment) -> None:
        self.msg_type = fragment.msg_type
        self.length = fragment.length
        self.message_seq = fragment.message_seq
        self._body = bytearray(fragment.length)
        self._missing = [(0, fragment.length)] if fragment.length else []

    def add(self, fragment: HandshakeFragment) -> None:
        """Put in what is still missing; octets that came before stay."""
        start, end = fragment.offset, fragment.offset + len(fragment.body)
        left: list[tuple[int, int]] = []
        for low, high in self._missing:
            first, last = max(low, start), min(high, end)
            if first >= last:
                left.append((low, high))
                continue
            self._body[first:last] = fragment.body[first - start : last - start]
            left += [gap for gap in ((low, first), (last, high)) if gap[0] < gap[1]]
        self._missing = left

    @property
    def message(self) -> HandshakeMessage | None:
        """The message, once nothing is missing."""
        return None if self._missing else HandshakeMessage(self.msg_type, self.message_seq, bytes(self._body))


class Reassembler:
    """Puts messages together from fragments in any order, and gives them out in the order of message_seq."""

    def __init__(self, first: int, largest: int) -> None:
        self.expected = first
        self._largest = largest
        self._partials: dict[int, _Partial] = {}

    def add(self, fragment: HandshakeFragment) -> None:
        """Take a fragment of the expected message or a later one; raises DecodeError for what does not fit together."""
        number = fragment.message_seq
        if not self.expected <= number < self.expected + AHEAD:
            raise DecodeError(0, f"handshake message {number}, expected {self.expected} to {self.expected + AHEAD - 1}")
        if fragment.length > self._largest:
            raise DecodeError(0, f"handshake message of {fragment.length} octets, expected at most {self._largest}")
        partial = self._partials.get(number)
        if partial is None:
            partial = self._partials[number] = _Partial(fragment)
        elif (partial.msg_type, partial.length) != (fragment.msg_type, fragment.length):
            raise DecodeError(0, f"fragments of handshake message {number} have different headers")
        partial.add(fragment)

    def next_message(self) -> HandshakeMessage | None:
        """The expected message if it is complete; it is then no longer expected."""
        partial = self._partials.get(self.expected)
        message = None if partial is None else partial.message
        if message is not None:
            del self._partials[self.expected]
            self.expected += 1
        return message

    def forget(self) -> None:
        """Drop what has been kept: fragments from before a change of keys say nothing about what comes after it."""
        self._partials.clear()


class Transcript:
    """The handshake messages so far, each with the header of an unfragmented one, and the hash over them."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.messages: list[bytes] = []
        self.before: list[bytes] = []
        """Those up to HelloVerifyRequest, which are not hashed."""

    def add(self, message: HandshakeMessage) -> None:
        """One more message, ours or the peer's."""
        encoded = message.encode()
        self._hash.update(encoded)
        self.messages.append(encoded)

    def restart(self, request: HandshakeMessage) -> None:
        """Forget the messages so far: those up to HelloVerifyRequest are not hashed."""
        self.before = [*self.messages, request.encode()]
        self.messages = []
        self._hash = hashlib.sha256()

    def forget(self) -> None:
        """Nothing will be judged by the messages any more: the hash goes on without them."""
        self.messages, self.before = [], []

    @property
    def digest(self) -> bytes:
        """The hash so far."""
        return self._hash.copy().digest()


@dataclass(frozen=True, slots=True)
class FlightItem:
    """One message of a flight and the epoch that it is sent in; None stands for ChangeCipherSpec."""

    epoch: int
    message: HandshakeMessage | None = field(repr=False)
    is_whole: bool = False
    """Never cut into fragments: a server that keeps no state cannot put a ClientHello together."""


def pack(
    items: Iterable[FlightItem], mtu: int, largest_record: int, seal: Callable[[ContentType, int, bytes], DtlsRecord]
) -> Iterator[bytes]:
    """The flight in datagrams of at most `mtu` octets, records of at most `largest_record` octets of plaintext.

    `seal` numbers and encrypts a record.
    """
    datagram = b""
    for content_type, epoch, plaintext, is_whole in _plaintexts(items, mtu, largest_record):
        size = HEADER_LENGTH + len(plaintext) + (PROTECTION_OVERHEAD if epoch else 0)
        if datagram and (len(datagram) + size > mtu or is_whole):
            yield datagram
            datagram = b""
        datagram += seal(content_type, epoch, plaintext).encode()
    if datagram:
        yield datagram


def _plaintexts(
    items: Iterable[FlightItem], mtu: int, largest_record: int
) -> Iterator[tuple[ContentType, int, bytes, bool]]:
    """Content type, epoch and plaintext of each record, and whether it has to have a datagram of its own."""
    for item in items:
        if item.message is None:
            yield ContentType.CHANGE_CIPHER_SPEC, item.epoch, CHANGE_CIPHER_SPEC, False
        elif item.is_whole:
            yield ContentType.HANDSHAKE, item.epoch, item.message.encode(), True
        else:
            overhead = HEADER_LENGTH + (PROTECTION_OVERHEAD if item.epoch else 0)
            room = max(min(mtu - overhead, largest_record), HANDSHAKE_HEADER + 1)
            for fragment in item.message.fragments(room):
                yield ContentType.HANDSHAKE, item.epoch, fragment.encode(), False

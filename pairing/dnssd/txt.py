"""TXT record data of DNS-SD: the length-prefixed strings of one service instance, byte for byte.

What a key means is left to its service (`pairing.thread.meshcop_txt` for `_meshcop._udp`); what a DNS message looks
like, to `messages`. Source: RFC 6763 section 6, RFC 1035 section 3.3.14.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pairing.errors import EncodeError
from pairing.wire import Reader, Writer

MAX_STRING = 255
EMPTY_RDATA = b"\x00"
"""A record without strings: one zero byte, since RFC 1035 forbids a record without any byte."""


@dataclass(frozen=True, slots=True)
class TxtRecord:
    """The strings of a TXT record in the order of the wire, each as (key, value); a string without '=' has no value.

    A string that begins with '=' has an empty key, a string of length zero is `(b"", None)`: clients must skip both
    (RFC 6763 section 6.4), so `keys` and `get` do, but they stay here so that encoding gives the same bytes again.
    """

    entries: tuple[tuple[bytes, bytes | None], ...] = ()
    zero_length: bool = field(default=False, kw_only=True)
    """The record data had no byte at all, which is not legal and is to be read as empty (RFC 6763 section 6.1)."""

    @classmethod
    def decode(cls, rdata: bytes) -> "TxtRecord":
        """Parse record data. Only a string that runs past the end is an error."""
        if not rdata:
            return cls(zero_length=True)
        if rdata == EMPTY_RDATA:
            return cls()
        reader = Reader(rdata)
        entries: list[tuple[bytes, bytes | None]] = []
        while reader.remaining:
            key, equals, value = reader.take(reader.u8("string length"), "TXT string").partition(b"=")
            entries.append((key, value if equals else None))
        return cls(tuple(entries))

    def encode(self) -> bytes:
        """Record data; for a record without strings the one zero byte."""
        if not self.entries:
            return b"" if self.zero_length else EMPTY_RDATA
        writer = Writer()
        for key, value in self.entries:
            writer.block8(_string(key, value))
        return writer.getvalue()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, bytes | None]]) -> "TxtRecord":
        """A record from textual keys in the order given, checked for what can be published."""
        record = cls(tuple((_legal_key(key), value) for key, value in pairs))
        record.encode()
        return record

    @property
    def keys(self) -> tuple[bytes, ...]:
        """The keys as they came, the first of each (whatever its case), without strings that have none."""
        first: dict[bytes, bytes] = {}
        for key, _ in self.entries:
            if key:
                first.setdefault(key.lower(), key)
        return tuple(first.values())

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    def get(self, key: str) -> bytes | None:
        """The value of the first string with that key, whatever its case. None if absent or without '='."""
        found = self._find(key)
        return found[1] if found else None

    def items(self) -> Iterator[tuple[bytes, bytes | None]]:
        """What counts for a client: the first string of each key."""
        for key in self.keys:
            yield key, next(value for other, value in self.entries if other == key)

    def _find(self, key: str) -> tuple[bytes, bytes | None] | None:
        wanted = key.encode("utf-8", "surrogatepass").lower()
        return next((entry for entry in self.entries if wanted and entry[0].lower() == wanted), None)


def _string(key: bytes, value: bytes | None) -> bytes:
    if b"=" in key:
        raise EncodeError(f"TXT key {key!r} has a '=', which ends a key")
    string = key if value is None else key + b"=" + value
    if len(string) > MAX_STRING:
        raise EncodeError(f"TXT string of key {key!r} is {len(string)} bytes, expected at most {MAX_STRING}")
    return string


def _legal_key(key: str) -> bytes:
    """Keys are printable US-ASCII without '=', at least one character (RFC 6763 section 6.4)."""
    if not key or not all(" " <= character <= "~" and character != "=" for character in key):
        raise EncodeError(f"TXT key {key!r} is not printable ASCII without '='")
    return key.encode("ascii")

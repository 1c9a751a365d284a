"""Byte cursors that every codec reads and writes through.

Each number names its byte order: `u16be` for Thread, DTLS, CoAP and DNS, `u16le` for IEEE 802.11 and NAN.
A Reader raises `DecodeError` only, a Writer `EncodeError` only.
"""

from pairing.errors import DecodeError, EncodeError


class Reader:
    """Reads `data` from front to back; `offset` is the position in the outermost buffer, for error messages."""

    __slots__ = ("_base", "_data", "_position")

    def __init__(self, data: bytes, base: int = 0) -> None:
        self._data = data
        self._position = 0
        self._base = base

    @property
    def offset(self) -> int:
        """Offset of the next byte, counted from the start of the outermost buffer."""
        return self._base + self._position

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._position

    def fail(self, reason: str) -> DecodeError:
        """The error to raise for a rule broken at the current position."""
        return DecodeError(self.offset, reason)

    def take(self, length: int, what: str = "value") -> bytes:
        """The next `length` bytes."""
        start = self._position
        end = start + length
        if end > len(self._data):
            raise self.fail(f"{what} needs {length} bytes, {self.remaining} left")
        self._position = end
        return self._data[start:end]

    def rest(self) -> bytes:
        """All bytes that are left."""
        return self.take(self.remaining)

    def sub(self, length: int, what: str = "value") -> "Reader":
        """A Reader over the next `length` bytes, whose offsets still count in this buffer."""
        base = self.offset
        return Reader(self.take(length, what), base)

    def u8(self, what: str = "byte") -> int:
        """One unsigned byte."""
        position = self._position
        if position >= len(self._data):
            raise self.fail(f"{what} needs 1 bytes, 0 left")
        self._position = position + 1
        return self._data[position]

    def u16be(self, what: str = "number") -> int:
        """Two bytes, most significant first."""
        return int.from_bytes(self.take(2, what), "big")

    def u24be(self, what: str = "number") -> int:
        """Three bytes, most significant first."""
        return int.from_bytes(self.take(3, what), "big")

    def u32be(self, what: str = "number") -> int:
        """Four bytes, most significant first."""
        return int.from_bytes(self.take(4, what), "big")

    def u48be(self, what: str = "number") -> int:
        """Six bytes, most significant first."""
        return int.from_bytes(self.take(6, what), "big")

    def u64be(self, what: str = "number") -> int:
        """Eight bytes, most significant first."""
        return int.from_bytes(self.take(8, what), "big")

    def u16le(self, what: str = "number") -> int:
        """Two bytes, least significant first."""
        return int.from_bytes(self.take(2, what), "little")

    def u32le(self, what: str = "number") -> int:
        """Four bytes, least significant first."""
        return int.from_bytes(self.take(4, what), "little")

    def u64le(self, what: str = "number") -> int:
        """Eight bytes, least significant first."""
        return int.from_bytes(self.take(8, what), "little")

    def expect_end(self, what: str) -> None:
        """Raise unless every byte has been read."""
        if self.remaining:
            raise self.fail(f"{what} has {self.remaining} bytes too many")


class Writer:
    """Collects bytes in order."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts = bytearray()

    def __len__(self) -> int:
        return len(self._parts)

    def getvalue(self) -> bytes:
        """Everything written so far."""
        return bytes(self._parts)

    def raw(self, data: bytes) -> "Writer":
        """The bytes as they are."""
        self._parts += data
        return self

    def _number(self, value: int, length: int, *, little: bool = False) -> "Writer":
        try:
            self._parts += value.to_bytes(length, "little" if little else "big")
        except OverflowError:
            raise EncodeError(f"{value} does not fit {length} unsigned bytes") from None
        return self

    def u8(self, value: int) -> "Writer":
        """One unsigned byte."""
        return self._number(value, 1)

    def u16be(self, value: int) -> "Writer":
        """Two bytes, most significant first."""
        return self._number(value, 2)

    def u24be(self, value: int) -> "Writer":
        """Three bytes, most significant first."""
        return self._number(value, 3)

    def u32be(self, value: int) -> "Writer":
        """Four bytes, most significant first."""
        return self._number(value, 4)

    def u48be(self, value: int) -> "Writer":
        """Six bytes, most significant first."""
        return self._number(value, 6)

    def u64be(self, value: int) -> "Writer":
        """Eight bytes, most significant first."""
        return self._number(value, 8)

    def u16le(self, value: int) -> "Writer":
        """Two bytes, least significant first."""
        return self._number(value, 2, little=True)

    def u32le(self, value: int) -> "Writer":
        """Four bytes, least significant first."""
        return self._number(value, 4, little=True)

    def u64le(self, value: int) -> "Writer":
        """Eight bytes, least significant first."""
        return self._number(value, 8, little=True)

    def block8(self, data: bytes) -> "Writer":
        """A one-byte length, then the bytes."""
        return self.u8(len(data)).raw(data)

    def block16be(self, data: bytes) -> "Writer":
        """A two-byte length, most significant first, then the bytes."""
        return self.u16be(len(data)).raw(data)

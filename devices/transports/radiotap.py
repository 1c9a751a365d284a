"""Radiotap: what a receiver knows of a frame beside its bytes, in a header before it. All little endian.

Only the fields named below are written and read; others are skipped, as are vendor namespaces.
Source: radiotap.org, "Defined fields".
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from pairing.errors import DecodeError


class RadiotapFlags(IntFlag):
    """The Flags field; the others say nothing here."""

    FCS_AT_END = 0x10


class TxFlags(IntFlag):
    """The TX flags field of a frame that comes back to its sender."""

    FAILED = 0x0001
    """Nobody acknowledged it."""


class _Bit(IntEnum):
    TSFT = 0
    FLAGS = 1
    CHANNEL = 3
    SIGNAL_DBM = 5
    TX_FLAGS = 15
    NEXT_IS_RADIOTAP = 29
    NEXT_IS_VENDOR = 30
    MORE = 31


_FIELDS = {
    **{0: (8, 8), 1: (1, 1), 2: (1, 1), 3: (2, 4), 4: (2, 2), 5: (1, 1), 6: (1, 1), 7: (2, 2), 8: (2, 2), 9: (2, 2)},
    **{10: (1, 1), 11: (1, 1), 12: (1, 1), 13: (1, 1), 14: (2, 2), 15: (2, 2), 16: (1, 1), 17: (1, 1), 18: (4, 8)},
    **{19: (1, 3), 20: (4, 8), 21: (2, 12), 22: (8, 12)},
}
"""Bit of the presence word -> alignment and size of its field."""
_OFDM, _BAND_2_GHZ, _BAND_5_GHZ = 0x0040, 0x0080, 0x0100
_FIXED = 8
_MAX_WORDS = 32


@dataclass(frozen=True, slots=True)
class Radiotap:
    """`version(1)=0 pad(1) length(2) present(4)…`, then the fields that are present, each on its natural boundary."""

    tsft: int | None = None
    """TSF when the first bit of the frame arrived, in microseconds."""
    flags: int | None = None
    frequency_mhz: int | None = None
    signal_dbm: int | None = None
    tx_flags: int | None = None

    def encode(self) -> bytes:
        """The header alone; the frame follows it."""
        present, body = 0, bytearray(_FIXED)
        for bit, value in (
            (_Bit.TSFT, None if self.tsft is None else struct.pack("<Q", self.tsft)),
            (_Bit.FLAGS, None if self.flags is None else struct.pack("<B", self.flags)),
            (_Bit.CHANNEL, None if self.frequency_mhz is None else _channel(self.frequency_mhz)),
            (_Bit.SIGNAL_DBM, None if self.signal_dbm is None else struct.pack("<b", self.signal_dbm)),
            (_Bit.TX_FLAGS, None if self.tx_flags is None else struct.pack("<H", self.tx_flags)),
        ):
            if value is not None:
                present |= 1 << bit
                body += bytes(-len(body) % _FIELDS[bit][0]) + value
        struct.pack_into("<BBHI", body, 0, 0, 0, len(body), present)
        return bytes(body)

    @classmethod
    def decode(cls, data: bytes) -> tuple["Radiotap", bytes]:
        """The header and the frame behind it, without an FCS. Raises DecodeError."""
        if len(data) < _FIXED or data[0] != 0:
            raise DecodeError(0, "no radiotap header: version 0 and eight octets at the least are expected")
        length = int.from_bytes(data[2:4], "little")
        words, offset = _presence(data, length)
        found: dict[int, bytes] = {}
        for bit in _first_namespace(words):
            if bit not in _FIELDS:
                break  # a field of unknown size: nothing after it can be found
            alignment, size = _FIELDS[bit]
            offset += -offset % alignment
            if offset + size > length:
                raise DecodeError(offset, f"radiotap field {bit} does not fit into a header of {length} octets")
            found[bit] = data[offset : offset + size]
            offset += size
        flags = _number(found.get(_Bit.FLAGS))
        end = len(data) - 4 if flags is not None and flags & RadiotapFlags.FCS_AT_END else len(data)
        header = cls(
            tsft=_number(found.get(_Bit.TSFT)),
            flags=flags,
            frequency_mhz=_number(found[_Bit.CHANNEL][:2]) if _Bit.CHANNEL in found else None,
            signal_dbm=struct.unpack("<b", found[_Bit.SIGNAL_DBM])[0] if _Bit.SIGNAL_DBM in found else None,
            tx_flags=_number(found.get(_Bit.TX_FLAGS)),
        )
        return header, data[length : max(end, length)]


def _channel(frequency_mhz: int) -> bytes:
    band = _BAND_2_GHZ if frequency_mhz < 3_000 else _BAND_5_GHZ
    return struct.pack("<HH", frequency_mhz, band | _OFDM)


def _number(value: bytes | None) -> int | None:
    return None if value is None else int.from_bytes(value, "little")


def _presence(data: bytes, length: int) -> tuple[list[int], int]:
    if not _FIXED <= length <= len(data):
        raise DecodeError(2, f"a radiotap header of {length} octets in a datagram of {len(data)}")
    words: list[int] = []
    offset = 4
    while not words or words[-1] >> _Bit.MORE:
        if offset + 4 > length or len(words) == _MAX_WORDS:
            raise DecodeError(offset, "the radiotap presence words do not end")
        words.append(int.from_bytes(data[offset : offset + 4], "little"))
        offset += 4
    return words, offset


def _first_namespace(words: list[int]) -> list[int]:
    # A second namespace repeats fields for each antenna or belongs to a vendor; the first one is the frame's own.
    return [bit for bit in range(_Bit.NEXT_IS_RADIOTAP) if words[0] >> bit & 1]

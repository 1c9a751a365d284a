"""A radiotap header before an 802.11 frame: what the radio says of it, and the frame."""

from devices.decode.fields import TracedReader
from devices.decode.ieee80211 import read_frame
from devices.decode.layers import layer
from devices.transports.radiotap import Radiotap
from pairing.errors import DecodeError

_FCS = 4


def _guess(data: bytes) -> int:
    length = int.from_bytes(data[2:4], "little")
    if len(data) < 8 or data[:2] != b"\0\0" or not 8 <= length <= len(data) - 10:
        return 0
    return 90 if data[length] & 0x0F == 0 else 25


@layer("radiotap", "radiotap header and 802.11 frame", guess=_guess)
def read_radiotap(reader: TracedReader) -> None:
    """The header as a whole with what it says, then the frame without its FCS."""
    data, base = reader.peek(reader.remaining), reader.offset
    try:
        header, frame = Radiotap.decode(data)
    except DecodeError as error:
        raise DecodeError(base + error.offset, error.reason) from None
    length = int.from_bytes(data[2:4], "little")
    told = (
        ("TSFT", header.tsft, "µs"),
        ("channel", header.frequency_mhz, "MHz"),
        ("signal", header.signal_dbm, "dBm"),
        ("TX flags", header.tx_flags, ""),
    )
    reader.take(length, "radiotap header")
    reader.mean(", ".join(f"{name} {value} {unit}".rstrip() for name, value, unit in told if value is not None))
    read_frame(reader.sub(len(frame), "802.11 frame"))
    if reader.remaining == _FCS:
        reader.take(_FCS, "FCS")

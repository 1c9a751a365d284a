"""btsnoop: the HCI packets of one Bluetooth host, for tools that take nothing else.

Source: RFC 1761 (snoop), as Bluetooth hosts write it: version 1, datalink 1002 (H4), microseconds since the year 0.
"""

import struct
from collections.abc import Callable, Iterable, Sequence

from devices.errors import TranscriptError, UsageError
from devices.media.ble import CONTROLLER
from devices.transcripts.reader import Frame, Record

_HEAD = b"btsnoop\0" + struct.pack(">II", 1, 1002)
_EPOCH_US = 0x00DCDDB30F2F8000
"""1970, counted from the year 0."""
_FROM_CONTROLLER, _COMMAND_OR_EVENT, _DATA = 1, 2, 2


def to_btsnoop(records: Iterable[Record], sink: Callable[[bytes], object], host: str | None = None) -> int:
    """The packets of one host; returns how many there were. `host` may be left out where there is only one.

    Raises UsageError where it is not clear which.
    """
    frames: list[Frame] = []
    damage: TranscriptError | None = None
    try:
        frames.extend(each for each in records if isinstance(each, Frame) and each.medium == "ble")
    except TranscriptError as problem:
        damage = problem
    chosen = _chosen(sorted({each.sender for each in frames}), host)
    count = 0
    sink(_HEAD)
    for frame in frames:
        if frame.sender == chosen:
            sink(_packet(frame))
            count += 1
    if damage is not None:
        raise damage
    return count


def _chosen(hosts: Sequence[str], host: str | None) -> str:
    if not hosts:
        raise UsageError("nothing of Bluetooth is in this transcript")
    if host is None and len(hosts) > 1:
        raise UsageError(f"a btsnoop file is of one host; give --actor, one of: {', '.join(hosts)}")
    if host is not None and host not in hosts:
        raise UsageError(f"{host!r} has no Bluetooth in this transcript; there are: {', '.join(hosts)}")
    return host or hosts[0]


def _packet(frame: Frame) -> bytes:
    length = len(frame.payload)
    flags = _FROM_CONTROLLER if frame.source == CONTROLLER else 0
    flags |= 0 if frame.payload[:1] == bytes([_DATA]) else _COMMAND_OR_EVENT
    return struct.pack(">IIIIq", length, length, flags, 0, _EPOCH_US + frame.at_us) + frame.payload

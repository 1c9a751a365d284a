"""Operational Dataset: every TLV in the order given, structured fields decoded into records.

Unknown TLVs and values longer than their field are kept byte for byte, so `Dataset.decode(x).encode() == x`. A dataset
may be partial, as MGMT_GET and MGMT_SET carry it. Decoding refuses only what cannot be read as fields (truncation, the
extended length form, a type twice, values too short, a name that is not UTF-8); what a network accepts is decided by
`dataset_rules`. Source: Thread specification, chapters 8.4.3 and 8.10.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from struct import Struct
from typing import Literal, TypeAlias, cast

from pairing.errors import DecodeError, EncodeError
from pairing.thread.fields import Channel, ChannelMask, ChannelMaskEntry, SecurityPolicy, Timestamp, utf8_error
from pairing.thread.tlvs import EXTENDED, MAX_SHORT_LENGTH, SECRET_TYPES, MeshCopTlvType, Tlv, join_tlvs, tlv_name

__all__ = [
    "Channel",
    "ChannelMask",
    "ChannelMaskEntry",
    "Dataset",
    "DatasetKind",
    "SecurityPolicy",
    "Timestamp",
]

DatasetKind: TypeAlias = Literal["active", "pending"]

CREATION_ORDER = (14, 0, 74, 53, 2, 7, 5, 3, 1, 4, 12, 51, 52)
"""The order in which OpenThread writes a new dataset; the two types of a Pending one come last."""

MANDATORY: dict[DatasetKind, tuple[MeshCopTlvType, ...]] = {
    "active": tuple(map(MeshCopTlvType, (14, 0, 53, 2, 7, 5, 3, 1, 4, 12))),
    "pending": tuple(map(MeshCopTlvType, (14, 0, 53, 2, 7, 5, 3, 1, 4, 12, 51, 52))),
}

_HEADER = Struct("BB").pack

MAX_LENGTH = 254
"""The largest dataset that a Thread device stores, in bytes."""


def _network_name(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        bad = utf8_error(value)
        if bad is not None:
            raise DecodeError(bad, "network name is not UTF-8") from None
        return value.decode(errors="replace")  # what OpenThread takes for UTF-8; the bytes are kept beside


# Type -> length of the field and what reads it from the value; None = the bytes themselves. A longer value passes.
_FIELDS: dict[int, tuple[int, Callable[[bytes], object] | None]] = {
    0: (3, Channel.decode),
    1: (2, lambda value: int.from_bytes(value[:2], "big")),
    2: (8, None),
    3: (0, _network_name),
    4: (16, None),
    5: (16, None),
    7: (8, None),
    12: (3, SecurityPolicy.decode),
    14: (8, Timestamp.decode),
    51: (8, Timestamp.decode),
    52: (4, lambda value: int.from_bytes(value[:4], "big")),
    53: (0, ChannelMask.decode),
    74: (3, Channel.decode),
}

FIELD_LENGTHS = {tlv_type: length for tlv_type, (length, _) in _FIELDS.items() if length}
"""The fewest bytes that the value of each type of fixed size has; for most also the most."""


def _number(value: int, length: int, what: str) -> bytes:
    try:
        return value.to_bytes(length, "big")
    except OverflowError:
        raise EncodeError(f"{what} {value} does not fit {length} bytes") from None


def _exactly(value: bytes, length: int, what: str) -> bytes:
    if len(value) != length:
        raise EncodeError(f"{what} has {len(value)} bytes, expected {length}")
    return value


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(f"character {error.start + 1} of the network name has no UTF-8 form") from None


def _tlv(tlv_type: int, value: bytes) -> bytes:
    length = len(value)
    if length > MAX_SHORT_LENGTH:
        raise EncodeError(f"{tlv_name(tlv_type)} has {length} bytes, more than a dataset can hold")
    return _HEADER(tlv_type, length) + value


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Dataset:
    """An Active or Pending Operational Dataset, or part of one. Made by `decode`, `from_hex`, `of`, never directly.

    Two datasets are equal when they encode to the same bytes; `same_tlvs` compares without the order.
    """

    _encoded: dict[int, bytes]  # type -> whole TLV, in order
    _values: dict[int, object]  # type -> decoded field, or None

    @classmethod
    def decode(cls, data: bytes) -> "Dataset":
        """Every TLV of `data`; raises DecodeError with the offset at which it cannot be read."""
        encoded: dict[int, bytes] = {}
        values: dict[int, object] = {}
        fields = _FIELDS.get
        start, end = 0, len(data)
        while start < end:
            if start + 1 == end:
                raise DecodeError(start, "TLV header needs 2 bytes, 1 left")
            tlv_type, length = data[start], data[start + 1]
            value = start + 2
            stop = value + length
            if stop > end or length == EXTENDED or tlv_type in encoded:
                raise _refusal(data, start)
            encoded[tlv_type] = data[start:stop]
            known = fields(tlv_type)
            if known is not None:
                needed, decode = known
                if length < needed:
                    raise DecodeError(value, f"{tlv_name(tlv_type)} has {length} bytes, expected {needed}")
                if decode is None:
                    values[tlv_type] = data[value : value + needed]
                else:
                    try:
                        values[tlv_type] = decode(data[value:stop])
                    except DecodeError as error:
                        raise DecodeError(value + error.offset, error.reason) from None
            start = stop
        return cls(encoded, values)

    @classmethod
    def from_hex(cls, text: str) -> "Dataset":
        """The dataset that the hexadecimal text holds, in either case; white space is skipped."""
        return cls.decode(bytes_from_hex(text))

    @classmethod
    def from_tlvs(cls, tlvs: Iterable[Tlv]) -> "Dataset":
        """The dataset of these TLVs, in their order."""
        return cls.decode(join_tlvs(tlvs))

    @classmethod
    def of(
        cls,
        *,
        active_timestamp: Timestamp | None = None,
        channel: Channel | None = None,
        wakeup_channel: Channel | None = None,
        channel_mask: ChannelMask | None = None,
        ext_pan_id: bytes | None = None,
        mesh_local_prefix: bytes | None = None,
        network_key: bytes | None = None,
        network_name: str | None = None,
        pan_id: int | None = None,
        pskc: bytes | None = None,
        security_policy: SecurityPolicy | None = None,
        pending_timestamp: Timestamp | None = None,
        delay_timer_ms: int | None = None,
    ) -> "Dataset":
        """A dataset of the given fields, in OpenThread's creation order."""
        # Spelled out, not looped over a table: half the time, and a peer's dataset is encoded on every read.
        encoded: dict[int, bytes] = {}
        if active_timestamp is not None:
            encoded[14] = b"\x0e\x08" + active_timestamp.encode()
        if channel is not None:
            encoded[0] = b"\x00\x03" + channel.encode()
        if wakeup_channel is not None:
            encoded[74] = b"\x4a\x03" + wakeup_channel.encode()
        if channel_mask is not None:
            encoded[53] = _tlv(53, channel_mask.encode())
        if ext_pan_id is not None:
            encoded[2] = b"\x02\x08" + (ext_pan_id if len(ext_pan_id) == 8 else _exactly(ext_pan_id, 8, "ext_pan_id"))
        if mesh_local_prefix is not None:
            encoded[7] = b"\x07\x08" + (
                mesh_local_prefix
                if len(mesh_local_prefix) == 8
                else _exactly(mesh_local_prefix, 8, "mesh_local_prefix")
            )
        if network_key is not None:
            encoded[5] = b"\x05\x10" + (
                network_key if len(network_key) == 16 else _exactly(network_key, 16, "network_key")
            )
        if network_name is not None:
            encoded[3] = _tlv(3, _utf8(network_name))
        if pan_id is not None:
            encoded[1] = b"\x01\x02" + _number(pan_id, 2, "PAN ID")
        if pskc is not None:
            encoded[4] = b"\x04\x10" + (pskc if len(pskc) == 16 else _exactly(pskc, 16, "pskc"))
        if security_policy is not None:
            encoded[12] = _tlv(12, security_policy.encode())
        if pending_timestamp is not None:
            encoded[51] = b"\x33\x08" + pending_timestamp.encode()
        if delay_timer_ms is not None:
            encoded[52] = b"\x34\x04" + _number(delay_timer_ms, 4, "Delay Timer")
        values: dict[int, object] = {
            14: active_timestamp, 0: channel, 74: wakeup_channel, 53: channel_mask, 2: ext_pan_id,
            7: mesh_local_prefix, 5: network_key, 3: network_name, 1: pan_id, 4: pskc, 12: security_policy,
            51: pending_timestamp, 52: delay_timer_ms,
        }  # fmt: skip
        return cls(encoded, values)

    def encode(self) -> bytes:
        """All TLVs in order."""
        return b"".join(self._encoded.values())

    def hex(self) -> str:
        """The encoded dataset as lower-case hexadecimal text."""
        return b"".join(self._encoded.values()).hex()

    @property
    def tlvs(self) -> tuple[Tlv, ...]:
        """All TLVs in order."""
        return tuple(Tlv(tlv_type, tlv[2:]) for tlv_type, tlv in self._encoded.items())

    @property
    def unknown(self) -> tuple[Tlv, ...]:
        """TLVs of types that a dataset does not define, in order."""
        return tuple(tlv for tlv in self.tlvs if tlv.type not in _FIELDS)

    def value(self, tlv_type: int) -> bytes | None:
        """The value bytes of one TLV, whole, or None if absent."""
        tlv = self._encoded.get(tlv_type)
        return None if tlv is None else tlv[2:]

    @property
    def active_timestamp(self) -> Timestamp | None:
        """Active Timestamp (14)."""
        return cast("Timestamp | None", self._values.get(14))

    @property
    def pending_timestamp(self) -> Timestamp | None:
        """Pending Timestamp (51)."""
        return cast("Timestamp | None", self._values.get(51))

    @property
    def channel(self) -> Channel | None:
        """Channel (0)."""
        return cast("Channel | None", self._values.get(0))

    @property
    def wakeup_channel(self) -> Channel | None:
        """Wake-up Channel (74)."""
        return cast("Channel | None", self._values.get(74))

    @property
    def channel_mask(self) -> ChannelMask | None:
        """Channel Mask (53)."""
        return cast("ChannelMask | None", self._values.get(53))

    @property
    def ext_pan_id(self) -> bytes | None:
        """Extended PAN ID (2), 8 bytes."""
        return cast("bytes | None", self._values.get(2))

    @property
    def mesh_local_prefix(self) -> bytes | None:
        """Mesh-Local Prefix (7), its first 8 bytes."""
        return cast("bytes | None", self._values.get(7))

    @property
    def network_key(self) -> bytes | None:
        """Network Key (5), 16 bytes. Secret."""
        return cast("bytes | None", self._values.get(5))

    @property
    def network_name(self) -> str | None:
        """Network Name (3), all of it."""
        return cast("str | None", self._values.get(3))

    @property
    def pan_id(self) -> int | None:
        """PAN ID (1)."""
        return cast("int | None", self._values.get(1))

    @property
    def pskc(self) -> bytes | None:
        """PSKc (4), 16 bytes. Secret."""
        return cast("bytes | None", self._values.get(4))

    @property
    def security_policy(self) -> SecurityPolicy | None:
        """Security Policy (12)."""
        return cast("SecurityPolicy | None", self._values.get(12))

    @property
    def delay_timer_ms(self) -> int | None:
        """Delay Timer (52), milliseconds."""
        return cast("int | None", self._values.get(52))

    def with_tlvs(self, updates: "Dataset | Iterable[Tlv]") -> "Dataset":
        """The dataset after OpenThread's update: each old TLV removed, the new one appended at the end."""
        changes = updates if isinstance(updates, Dataset) else Dataset.from_tlvs(updates)
        kept = self.without(*changes._encoded)
        present = {tlv_type: value for tlv_type, value in changes._values.items() if value is not None}
        return Dataset(kept._encoded | changes._encoded, kept._values | present)

    def without(self, *types: int) -> "Dataset":
        """The dataset without the TLVs of these types."""
        return Dataset(
            {tlv_type: tlv for tlv_type, tlv in self._encoded.items() if tlv_type not in types},
            {tlv_type: value for tlv_type, value in self._values.items() if tlv_type not in types},
        )

    def missing(self, kind: DatasetKind = "active") -> tuple[MeshCopTlvType, ...]:
        """Mandatory TLVs that are absent."""
        return tuple(tlv_type for tlv_type in MANDATORY[kind] if tlv_type not in self._encoded)

    @property
    def is_complete(self) -> bool:
        """Whether nothing mandatory for an Active dataset is missing."""
        return not self.missing("active")

    @property
    def length(self) -> int:
        """Length of the encoded dataset in bytes."""
        return sum(map(len, self._encoded.values()))

    def same_tlvs(self, other: "Dataset") -> bool:
        """Whether both hold the same TLVs, in any order (an update changes the order)."""
        return self._encoded == other._encoded

    def __contains__(self, tlv_type: object) -> bool:
        return tlv_type in self._encoded

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and self.encode() == other.encode()

    def __hash__(self) -> int:
        return hash(self.encode())

    def __repr__(self) -> str:
        return f"Dataset({', '.join(f'{tlv.name}={_shown(tlv)}' for tlv in self.tlvs)})"

    def for_display(self) -> list[tuple[str, str]]:
        """Label and text of every field, keys included, for someone who gave or may see them."""
        count = len(self._encoded)
        rows = [("Total", f"{self.length} bytes, {count} TLV{'' if count == 1 else 's'}")]
        for tlv_type, label, text in _DISPLAY:
            if (value := self._values.get(tlv_type)) is not None:
                rows.append((label, text(value)))
        rows.extend((f"Unknown TLV {tlv.type} (0x{tlv.type:02x})", tlv.value.hex()) for tlv in self.unknown)
        return rows


def bytes_from_hex(text: str) -> bytes:
    """The bytes that the text names; DecodeError with the offset in bytes, without the text, if it does not."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        digits = "".join(text.split())
        bad = next((place for place, digit in enumerate(digits) if digit not in "0123456789abcdefABCDEF"), None)
        if bad is None:
            raise DecodeError(len(digits) // 2, f"odd number of hexadecimal digits: {len(digits)}") from None
        raise DecodeError(bad // 2, f"character {bad + 1} is not a hexadecimal digit") from None


def prefix_text(prefix: bytes) -> str:
    """An eight-byte prefix as IPv6 text, `fdb3:60c7:2874:da99::/64`."""
    groups = [f"{prefix[index] << 8 | prefix[index + 1]:x}" for index in (0, 2, 4, 6)]
    while groups and groups[-1] == "0":
        groups.pop()
    return ":".join(groups) + "::/64"


_DISPLAY: tuple[tuple[int, str, Callable[..., str]], ...] = (
    (3, "Network Name", str),
    (0, "Channel", str),
    (74, "Wake-up Channel", str),
    (1, "PAN ID", lambda pan_id: f"0x{pan_id:04x}"),
    (2, "Extended PAN ID", bytes.hex),
    (7, "Mesh-Local Prefix", prefix_text),
    (5, "Network Key", bytes.hex),
    (4, "PSKc", bytes.hex),
    (14, "Active Timestamp", str),
    (51, "Pending Timestamp", str),
    (52, "Delay Timer", lambda delay: f"{delay} ms"),
    (53, "Channel Mask", str),
    (12, "Security Policy", str),
)


def _refusal(data: bytes, start: int) -> DecodeError:
    """Why the TLV at `start` cannot be part of a dataset."""
    name = tlv_name(data[start])
    if data[start + 1] == EXTENDED:
        return DecodeError(start + 1, f"{name} uses the extended length form, which datasets never do")
    if start + 2 + data[start + 1] > len(data):
        return DecodeError(start + 2, f"{name} needs {data[start + 1]} bytes, {len(data) - start - 2} left")
    return DecodeError(start, f"{name} comes twice")


def _shown(tlv: Tlv) -> str:
    return f"<{len(tlv.value)} secret bytes>" if tlv.type in SECRET_TYPES else tlv.value.hex()

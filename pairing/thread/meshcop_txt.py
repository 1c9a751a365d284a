"""The TXT record of `_meshcop._udp` by meaning: what a border agent says of itself on the local network.

Reading is lenient, as clients must be: unknown keys are kept, a value that its key cannot have leaves the field at
None and is kept as bytes. Writing follows the order of OpenThread's border agent. Strings and their order on the wire
are `pairing.dnssd.txt`'s, what one client makes of a record `home_assistant_view`'s.
Source: Thread 1.4 section 8.4.3, ot-br-posix, and records captured from Apple, Google and Nordic routers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Network
from typing import Any, NamedTuple

from pairing.dnssd.txt import TxtRecord
from pairing.errors import DecodeError, EncodeError
from pairing.thread.fields import Timestamp
from pairing.thread.state_bitmap import InterfaceStatus, StateBitmap, ThreadRole

SERVICE_TYPE = "_meshcop._udp"
EPHEMERAL_SERVICE_TYPE = "_meshcop-e._udp"
"""Published while an ephemeral key is active, with an empty TXT record."""


class _Codec(NamedTuple):
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError(error.start, "text is not UTF-8") from None


def _octets(value: bytes, length: int) -> bytes:
    if len(value) != length:
        raise DecodeError(0, f"{len(value)} bytes, expected {length}")
    return value


def _fixed(length: int) -> _Codec:
    def encode(value: bytes) -> bytes:
        if len(value) != length:
            raise EncodeError(f"{len(value)} bytes, expected {length}")
        return value

    return _Codec(partial(_octets, length=length), encode)


def _number(length: int) -> _Codec:
    def encode(value: int) -> bytes:
        if not 0 <= value < 1 << 8 * length:
            raise EncodeError(f"{value} does not fit {length} unsigned bytes")
        return value.to_bytes(length, "big")

    return _Codec(lambda value: int.from_bytes(_octets(value, length), "big"), encode)


def _prefix(value: bytes) -> IPv6Network:
    """Prefix length in bits, then as many bytes as it needs."""
    bits = value[0] if value else 129
    if bits > 128 or len(value) != 1 + (bits + 7) // 8:
        raise DecodeError(0, f"{len(value)} bytes are not a prefix length and its bytes")
    address = value[1:].ljust(16, b"\x00")
    try:
        return IPv6Network((address, bits))
    except ValueError:
        raise DecodeError(1, "prefix has bits set beyond its length") from None


def _prefix_bytes(prefix: IPv6Network) -> bytes:
    length = (prefix.prefixlen + 7) // 8
    return bytes([prefix.prefixlen]) + prefix.network_address.packed[:length]


def _text_bytes(value: str) -> bytes:
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise EncodeError(f"{value!r} has no UTF-8 form") from None


_TEXT = _Codec(_text, _text_bytes)
_TIMESTAMP = _Codec(lambda value: Timestamp.decode(_octets(value, 8)), Timestamp.encode)

_FIELDS: Mapping[str, tuple[str, _Codec]] = {
    "id": ("border_agent_id", _fixed(16)),
    "rv": ("record_version", _TEXT),
    "sb": ("state_bitmap", _Codec(StateBitmap.decode, StateBitmap.encode)),
    "tv": ("thread_version", _TEXT),
    "xa": ("extended_address", _fixed(8)),
    "xp": ("extended_pan_id", _fixed(8)),
    "nn": ("network_name", _TEXT),
    "pt": ("partition_id", _number(4)),
    "at": ("active_timestamp", _TIMESTAMP),
    "sq": ("bbr_sequence_number", _number(1)),
    "bb": ("bbr_port", _number(2)),
    "dn": ("domain_name", _TEXT),
    "omr": ("omr_prefix", _Codec(_prefix, _prefix_bytes)),
    "vn": ("vendor_name", _TEXT),
    "mn": ("model_name", _TEXT),
    "vo": ("vendor_oui", _fixed(3)),
    "dd": ("discriminator", _fixed(8)),
    "vat": ("vat", _TEXT),
    "vcd": ("vcd", _TEXT),
    "vvo": ("vvo", _TEXT),
    "vxp": ("vxp", _TEXT),
}
AGENT_ORDER = tuple(_FIELDS)
"""OpenThread's order of keys, the product's own (`vn mn vo`) after it, then what only other vendors send."""
FIELD_NAMES: Mapping[str, str] = {key: name for key, (name, _) in _FIELDS.items()}
"""Which field of MeshCopTxt holds the value of a TXT key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshCopTxt:
    """A border agent's record. None means that the key is absent or that its value is in `malformed`."""

    border_agent_id: bytes | None = None
    record_version: str | None = None
    state_bitmap: StateBitmap | None = None
    thread_version: str | None = None
    extended_address: bytes | None = None
    extended_pan_id: bytes | None = None
    network_name: str | None = None
    partition_id: int | None = None
    active_timestamp: Timestamp | None = None
    bbr_sequence_number: int | None = None
    bbr_port: int | None = None
    domain_name: str | None = None
    omr_prefix: IPv6Network | None = None
    vendor_name: str | None = None
    model_name: str | None = None
    vendor_oui: bytes | None = None
    discriminator: bytes | None = None
    vat: str | None = None
    vcd: str | None = None
    vvo: str | None = None
    vxp: str | None = None
    malformed: tuple[tuple[bytes, bytes | None], ...] = ()
    """Known keys whose value has no meaning, as they came."""
    unknown: tuple[tuple[bytes, bytes | None], ...] = ()
    """Other keys, as they came."""

    @classmethod
    def decode(cls, rdata: bytes) -> "MeshCopTxt":
        """Parse TXT record data; only strings that run past its end are an error."""
        return cls.from_txt(TxtRecord.decode(rdata))

    @classmethod
    def from_txt(cls, record: TxtRecord) -> "MeshCopTxt":
        """The meaning of a TXT record. Never raises."""
        fields: dict[str, Any] = {}
        malformed: list[tuple[bytes, bytes | None]] = []
        unknown: list[tuple[bytes, bytes | None]] = []
        for key, value in record.items():
            known = _FIELDS.get(key.decode("latin-1").lower())
            if known is None:
                unknown.append((key, value))
                continue
            name, codec = known
            try:
                fields[name] = codec.decode(_present(value))
            except DecodeError:
                malformed.append((key, value))
        return cls(**fields, malformed=tuple(malformed), unknown=tuple(unknown))

    def to_txt(self, order: Sequence[str] = AGENT_ORDER) -> TxtRecord:
        """The record with its keys in `order`, what is not named there after it, encoded from the meaning."""
        rest = dict(self.items())
        named = [(key, rest.pop(key)) for key in order if key in rest]
        return TxtRecord(tuple((key.encode("latin-1"), value) for key, value in (*named, *rest.items())))

    def encode(self, order: Sequence[str] = AGENT_ORDER) -> bytes:
        """TXT record data, as `to_txt`."""
        return self.to_txt(order).encode()

    def items(self) -> Iterator[tuple[str, bytes | None]]:
        """Every key that is present with its value's bytes: known ones in the agent's order, then the kept ones."""
        for key, (name, codec) in _FIELDS.items():
            value = getattr(self, name)
            if value is not None:
                yield key, codec.encode(value)
        for raw, kept in (*self.malformed, *self.unknown):
            yield raw.decode("latin-1"), kept

    def meaning(self, key: str) -> Any:
        """The typed value of a TXT key, None if absent, malformed or without a type."""
        return getattr(self, FIELD_NAMES[key]) if key in FIELD_NAMES else None


def _present(value: bytes | None) -> bytes:
    if value is None:
        raise DecodeError(0, "key has no value")
    return value


class Quirk(NamedTuple):
    """A habit of some vendor's records that a reader may stumble on."""

    name: str
    what: str
    shows: Callable[[MeshCopTxt], bool]


def _id_is_padded_address(record: MeshCopTxt) -> bool:
    agent, address = record.border_agent_id, record.extended_address
    return agent is not None and agent[8:] == bytes(8) and (address is None or agent[:8] == address)


QUIRKS = (
    Quirk(
        "dd-repeats-xa",
        "Apple: `dd` repeats `xa`, and there is no `id`",
        lambda record: record.discriminator is not None and record.discriminator == record.extended_address,
    ),
    Quirk(
        "text-copies",
        "Google: `vat vcd vvo vxp` are copies in hexadecimal text of `at id vo xp`",
        lambda record: any((record.vat, record.vcd, record.vvo, record.vxp)),
    ),
    Quirk(
        "no-record-version",
        "Nordic: no `rv`; ot-commissioner refuses such a record",
        lambda record: record.record_version is None,
    ),
    Quirk(
        "no-role-bits",
        "before Thread 1.4: `sb` says active, yet its role bits are 0; some apps refuse to onboard then",
        lambda record: (
            record.state_bitmap is not None
            and record.state_bitmap.role is ThreadRole.DISABLED_OR_DETACHED
            and record.state_bitmap.interface_status is InterfaceStatus.ACTIVE
        ),
    ),
    Quirk(
        "dd-instead-of-xa",
        "old OpenThread routers: the extended address is in `dd`, and there is no `xa`",
        lambda record: record.discriminator is not None and record.extended_address is None,
    ),
    Quirk(
        "id-is-padded-xa",
        "old OpenThread routers: `id` is `xa` with eight zero bytes after it",
        _id_is_padded_address,
    ),
)


def quirks(record: MeshCopTxt) -> tuple[Quirk, ...]:
    """The vendor habits that this record shows."""
    return tuple(quirk for quirk in QUIRKS if quirk.shows(record))

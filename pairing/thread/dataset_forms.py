"""The forms in which a home file writes the fields of a dataset, and what they mean.

Numbers may be text (`0x250b`), keys and ids are hexadecimal text, a channel mask may be a list, a prefix an IPv6 one.
Messages name what was expected and never repeat a key.
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv6Network

from pairing.errors import DecodeError, EncodeError
from pairing.thread.dataset import Dataset, bytes_from_hex
from pairing.thread.fields import FIRST_CHANNEL, LAST_CHANNEL, ChannelMask, SecurityPolicy, Timestamp
from pairing.thread.pskc import MAX_NETWORK_NAME


class DatasetFieldError(EncodeError):
    """A field of a dataset table that does not exist or whose value is of no use; `field` names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


def read_fields(fields: Mapping[str, object]) -> dict[str, object]:
    """Each field's value as its record or plain value; fields that are None are left out."""
    return {name: _read(name, value) for name, value in fields.items() if value is not None}


def _read(name: str, value: object) -> object:
    reader = _READERS.get(name)
    if reader is None:
        known = ", ".join(sorted(_READERS))
        raise DatasetFieldError(name, f"a dataset has no such field, expected one of: {known}")
    try:
        return reader(value)
    except DecodeError as error:
        raise DatasetFieldError(name, error.reason) from None
    except EncodeError as error:
        raise DatasetFieldError(name, str(error)) from None


def _expected(what: str, value: object) -> EncodeError:
    """Names the type that came, never the value: it may be a key."""
    return EncodeError(f"expected {what}, got {type(value).__name__}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _expected("text", value)
    return value


def _network_name(value: object) -> str:
    name = _text(value)
    if not 1 <= len(name.encode(errors="replace")) <= MAX_NETWORK_NAME:
        raise EncodeError(f"expected a name of 1 to {MAX_NETWORK_NAME} bytes in UTF-8, got {name!r}")
    return name


def _number(low: int, high: int) -> Callable[[object], int]:
    """A whole number, or text with one: `0x250b`, `9483`."""

    def read(value: object) -> int:
        if isinstance(value, str):
            try:
                value = int(value, 0)
            except ValueError:
                raise EncodeError(f"expected a number from {low} to {high}, got {value!r}") from None
        if not isinstance(value, int) or isinstance(value, bool):
            raise _expected("a number", value)
        if not low <= value <= high:
            raise EncodeError(f"expected a number from {low} to {high}, got {value}")
        return value

    return read


def _octets(length: int) -> Callable[[object], bytes]:
    """Bytes, or hexadecimal text with or without colons."""

    def read(value: object) -> bytes:
        octets = value if isinstance(value, bytes) else bytes_from_hex(_text(value).replace(":", ""))
        if len(octets) != length:
            raise EncodeError(f"expected {length} bytes in hexadecimal, got {len(octets)}")
        return octets

    return read


def _prefix(value: object) -> bytes:
    """`fdb3:60c7:2874:da99::/64`, or its eight bytes."""
    if isinstance(value, str) and "::" in value:
        try:
            network = IPv6Network(value)
        except ValueError:
            raise EncodeError(f"expected an IPv6 prefix of 64 bits, got {value!r}") from None
        if network.prefixlen not in (64, 128):
            raise EncodeError(f"expected an IPv6 prefix of 64 bits, got one of {network.prefixlen}")
        octets = network.network_address.packed
        if any(octets[8:]):
            raise EncodeError(f"expected nothing after the first 64 bits, got {value!r}")
        return octets[:8]
    return _octets(8)(value)


_SECONDS = _number(0, (1 << 48) - 1)
_TICKS = _number(0, (1 << 15) - 1)


def _timestamp(value: object) -> Timestamp:
    """Seconds, or a table of seconds, ticks and authoritative."""
    if not isinstance(value, Mapping):
        return Timestamp(_SECONDS(value))
    unknown = sorted(map(str, value.keys() - {"seconds", "ticks", "authoritative"}))
    if unknown:
        raise EncodeError(f"expected seconds, ticks and authoritative, got {', '.join(unknown)}")
    seconds = _SECONDS(value.get("seconds", 1))
    return Timestamp(seconds, _TICKS(value.get("ticks", 0)), _flag(value.get("authoritative", False)))


def _flag(value: object) -> bool:
    if not isinstance(value, bool) and value not in (0, 1):
        raise _expected("true or false", value)
    return bool(value)


def _channel_mask(value: object) -> ChannelMask:
    """A list of channels, OpenThread's number (`0x07fff800`, 134215680), or the wire form `0004001fffe0`."""
    if isinstance(value, list | tuple):
        return ChannelMask.from_channels(_number(0, 31)(channel) for channel in value)
    if isinstance(value, int) or (isinstance(value, str) and value.lower().startswith("0x")):
        return ChannelMask.from_openthread(_number(0, 0xFFFFFFFF)(value))
    return ChannelMask.decode(bytes_from_hex(_text(value)))


def _security_policy(value: object) -> SecurityPolicy:
    """A table of rotation_hours and the named bits, or the wire form `02a0f7f8`."""
    if isinstance(value, Mapping):
        unknown = sorted(map(str, value.keys() - {"rotation_hours", "version_threshold_for_routing", *_POLICY_BITS}))
        if unknown:
            raise EncodeError(f"expected rotation_hours or a policy bit, got {', '.join(unknown)}")
        return SecurityPolicy.of(
            _number(0, 0xFFFF)(value.get("rotation_hours", 672)),
            version_threshold_for_routing=_number(0, 7)(value.get("version_threshold_for_routing", 0)),
            **{bit: _flag(value[bit]) for bit in _POLICY_BITS if bit in value},
        )
    octets = bytes_from_hex(_text(value))
    if not 3 <= len(octets) <= 4:
        raise EncodeError(f"expected 3 or 4 bytes in hexadecimal, got {len(octets)}")
    return SecurityPolicy.decode(octets)


_POLICY_BITS = (
    "obtain_network_key",
    "native_commissioning",
    "routers",
    "external_commissioning",
    "legacy_beacons",
    "commercial_commissioning",
    "autonomous_enrollment",
    "network_key_provisioning",
    "toble_link",
    "non_ccm_routers",
)

_READERS: dict[str, Callable[[object], object]] = {
    "network_name": _network_name,
    "channel": _number(FIRST_CHANNEL, LAST_CHANNEL),
    "wakeup_channel": lambda value: value is not False and _number(FIRST_CHANNEL, LAST_CHANNEL)(value),
    "channel_mask": _channel_mask,
    "pan_id": _number(0, 0xFFFF),
    "ext_pan_id": _octets(8),
    "network_key": _octets(16),
    "pskc": _octets(16),
    "passphrase": _text,
    "mesh_local_prefix": _prefix,
    "active_timestamp": _timestamp,
    "pending_timestamp": _timestamp,
    "delay_timer_ms": _number(0, 0xFFFFFFFF),
    "security_policy": _security_policy,
    "more_tlvs": lambda value: Dataset.from_hex(_text(value)),
}

"""Operational datasets as the REST API reads and writes them: JSON members, or TLVs in hexadecimal text.

A body is always a change to a base dataset: the stored one, or a complete random network if there is none. Members of
the wrong JSON type, null and unknown ones are passed over silently; members of the right type with bad content are 400;
what the stack would refuse is 500. Measured from ot-br-posix, REST API 0.5.0.
"""

import re
from ipaddress import IPv6Address

from devices.otbr.address import prefix_text
from devices.otbr.json_text import BadJsonError, Json, c_double, c_int, c_uint, is_number, parse_object
from devices.otbr.messages import RefusedError
from pairing.engine import Entropy
from pairing.errors import DecodeError, EncodeError
from pairing.thread.dataset import Dataset, DatasetKind
from pairing.thread.dataset_generator import generate
from pairing.thread.dataset_rules import openthread_verdict
from pairing.thread.fields import Channel, ChannelMask, SecurityPolicy, Timestamp

MAX_DATASET = 254
DEFAULT_ROTATION_HOURS = 672
MAX_NETWORK_NAME = 16

_HEX = re.compile(r"[0-9a-fA-F]*")
_POLICY_FLAGS = {
    "obtainNetworkKey": "obtain_network_key",
    "nativeCommissioning": "native_commissioning",
    "routers": "routers",
    "externalCommissioning": "external_commissioning",
    "commercialCommissioning": "commercial_commissioning",
    "autonomousEnrollment": "autonomous_enrollment",
    "networkKeyProvisioning": "network_key_provisioning",
    "tobleLink": "toble_link",
    "nonCcmRouters": "non_ccm_routers",
}


def active_dataset_json(dataset: Dataset) -> dict[str, Json]:
    """The members of the fields that the dataset has."""
    members: dict[str, Json] = {}
    if dataset.active_timestamp is not None:
        members["activeTimestamp"] = _timestamp_json(dataset.active_timestamp)
    if dataset.network_key is not None:
        members["networkKey"] = dataset.network_key.hex()
    if dataset.network_name is not None:
        members["networkName"] = dataset.network_name
    if dataset.ext_pan_id is not None:
        members["extPanId"] = dataset.ext_pan_id.hex()
    if dataset.mesh_local_prefix is not None:
        members["meshLocalPrefix"] = prefix_text(dataset.mesh_local_prefix)
    if dataset.pan_id is not None:
        members["panId"] = dataset.pan_id
    if dataset.channel is not None:
        members["channel"] = dataset.channel.channel
    if dataset.pskc is not None:
        members["pskc"] = dataset.pskc.hex()
    if dataset.security_policy is not None:
        policy = dataset.security_policy
        flags: dict[str, Json] = {name: getattr(policy, attribute) for name, attribute in _POLICY_FLAGS.items()}
        members["securityPolicy"] = {"rotationTime": policy.rotation_hours, **flags}
    if dataset.channel_mask is not None:
        members["channelMask"] = dataset.channel_mask.openthread_mask
    return members


def pending_dataset_json(dataset: Dataset) -> dict[str, Json]:
    """The members of a pending dataset, its network inside `activeDataset`."""
    members: dict[str, Json] = {"activeDataset": active_dataset_json(dataset)}
    if dataset.pending_timestamp is not None:
        members["pendingTimestamp"] = _timestamp_json(dataset.pending_timestamp)
    if dataset.delay_timer_ms is not None:
        members["delay"] = dataset.delay_timer_ms
    return members


def change_from_text(body: bytes) -> Dataset:
    """The TLVs of a text/plain body. Raises RefusedError 400 or 500."""
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        raise RefusedError(400) from None
    return _change_from_hex(text)


def _change_from_hex(text: str) -> Dataset:
    if _HEX.fullmatch(text) is None or len(text) > 2 * MAX_DATASET:
        raise RefusedError(400)
    if len(text) % 2:
        raise RefusedError(500)
    data = bytes.fromhex(text)
    if data and not openthread_verdict(data).accepted:
        raise RefusedError(500)
    try:
        return Dataset.decode(data)
    except DecodeError:
        raise RefusedError(500) from None


def active_change(body: bytes, *, is_new: bool) -> Dataset:
    """The change that a JSON body makes to the active dataset. Raises RefusedError 400 or 500."""
    return _dataset_from_members(_object(body), is_new=is_new)


def pending_change(body: bytes, *, is_new: bool) -> Dataset:
    """The change that a JSON body makes to the pending dataset. Raises RefusedError 400 or 500."""
    members = _object(body)
    match members.get("activeDataset"):
        case dict() as active:
            change = _dataset_from_members(active, is_new=is_new)
        case str() as text:
            change = _pending_text(text)
        case _:
            raise RefusedError(400)
    delay = members.get("delay")
    if not is_number(delay):
        raise RefusedError(400)
    timestamp = _optional_timestamp(members, "pendingTimestamp")
    return change.with_tlvs(Dataset.of(pending_timestamp=timestamp, delay_timer_ms=c_uint(delay, 32)))


def _pending_text(text: str) -> Dataset:
    """Inside a JSON body every fault of the hex text is 400, the empty text included."""
    try:
        change = _change_from_hex(text)
    except RefusedError:
        raise RefusedError(400) from None
    if not change.tlvs:
        raise RefusedError(400)
    return change


def changed(body: bytes, kind: DatasetKind, stored: Dataset | None, entropy: Entropy) -> Dataset:
    """The stored dataset with the change of a JSON body, or a random network with it. RefusedError 400 or 500."""
    read = active_change if kind == "active" else pending_change
    change = read(body, is_new=stored is None)
    return merge(generate(entropy) if stored is None else stored, change)


def merge(base: Dataset, change: Dataset) -> Dataset:
    """The base with the change's TLVs in place of its own, at the end. RefusedError 500 for what the stack refuses."""
    merged = base.with_tlvs(change)
    if not openthread_verdict(merged.encode()).accepted:
        raise RefusedError(500)
    return merged


def _object(body: bytes) -> dict[str, Json]:
    try:
        return parse_object(body)
    except BadJsonError:
        raise RefusedError(400) from None


def _dataset_from_members(members: dict[str, Json], *, is_new: bool) -> Dataset:
    pan_id, channel, mask = (members.get(name) for name in ("panId", "channel", "channelMask"))
    try:
        return Dataset.of(
            active_timestamp=_optional_timestamp(members, "activeTimestamp"),
            network_key=_octets(members, "networkKey", 16),
            network_name=_network_name(members),
            ext_pan_id=_octets(members, "extPanId", 8),
            mesh_local_prefix=_mesh_local_prefix(members),
            pan_id=c_uint(pan_id, 16) if is_number(pan_id) else None,
            channel=Channel(0, c_uint(channel, 16)) if is_number(channel) else None,
            pskc=_octets(members, "pskc", 16),
            security_policy=_security_policy(members, is_new=is_new),
            channel_mask=ChannelMask.from_openthread(c_uint(mask, 32)) if is_number(mask) else None,
        )
    except EncodeError:
        raise RefusedError(500) from None


def _octets(members: dict[str, Json], name: str, length: int) -> bytes | None:
    value = members.get(name)
    if not isinstance(value, str):
        return None
    if len(value) != 2 * length or _HEX.fullmatch(value) is None:
        raise RefusedError(400)
    return bytes.fromhex(value)


def _network_name(members: dict[str, Json]) -> str | None:
    value = members.get("networkName")
    if not isinstance(value, str):
        return None
    if len(value.encode()) > MAX_NETWORK_NAME:
        raise RefusedError(400)
    return value


def _mesh_local_prefix(members: dict[str, Json]) -> bytes | None:
    value = members.get("meshLocalPrefix")
    if not isinstance(value, str):
        return None
    # Like the agent, whatever stands after the slash is not looked at.
    address = value.partition("/")[0]
    try:
        return IPv6Address(address).packed[:8] if "%" not in address else _refuse()
    except ValueError:
        raise RefusedError(400) from None


def _refuse() -> bytes:
    raise RefusedError(400)


def _optional_timestamp(members: dict[str, Json], name: str) -> Timestamp | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise RefusedError(400)
    seconds, ticks = value.get("seconds", 0), value.get("ticks", 0)
    if not is_number(seconds) or not is_number(ticks):
        raise RefusedError(400)
    return Timestamp(c_double(seconds, 0, (1 << 48) - 1), c_int(ticks) & 0x7FFF, value.get("authoritative") is True)


def _timestamp_json(timestamp: Timestamp) -> Json:
    return {"seconds": timestamp.seconds, "ticks": timestamp.ticks, "authoritative": timestamp.authoritative}


def _security_policy(members: dict[str, Json], *, is_new: bool) -> SecurityPolicy | None:
    """Flags that are not given count as off, even over a policy that has them on."""
    value = members.get("securityPolicy")
    if not isinstance(value, dict):
        return None
    rotation = value.get("rotationTime")
    hours = c_uint(rotation, 16) if is_number(rotation) else DEFAULT_ROTATION_HOURS if is_new else 0
    flags = {attribute: value.get(name) is True for name, attribute in _POLICY_FLAGS.items()}
    return SecurityPolicy.of(hours, **flags)

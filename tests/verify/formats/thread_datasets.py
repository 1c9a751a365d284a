"""Vectors of Operational Datasets: length, decoded fields, the bytes back from the fields, OpenThread's verdict."""

from collections.abc import Callable, Mapping
from typing import Any

from pairing.thread.dataset import Dataset
from pairing.thread.dataset_rules import openthread_verdict
from pairing.thread.fields import Channel, ChannelMask, ChannelMaskEntry, SecurityPolicy, Timestamp
from pairing.thread.tlvs import Tlv, tlv_name
from tests.verify.mismatch import Mismatch, compare, compare_members

TYPES = {tlv_name(tlv_type): tlv_type for tlv_type in range(256)}


def recognises(document: object) -> bool:
    """Whether this is a list of datasets with their fields."""
    vectors = document.get("vectors") if isinstance(document, dict) else None
    return isinstance(vectors, list) and any(isinstance(v, dict) and {"hex", "decoded"} <= v.keys() for v in vectors)


def check(document: dict[str, Any]) -> None:
    """Decode, encode and judge every dataset; raises Mismatch."""
    for index, vector in enumerate(document["vectors"]):
        member = f"vectors[{index}]"
        data = bytes.fromhex(vector["hex"])
        dataset = Dataset.decode(data)
        compare(f"{member}.length", vector["length"], dataset.length)
        got = in_words(dataset)
        compare(f"{member}.decoded", list(vector["decoded"]), list(got))
        compare_members(f"{member}.decoded", vector["decoded"], got)
        compare(f"{member}.hex", vector["hex"].lower(), from_words(vector["decoded"]).hex())
        accepted = openthread_verdict(data, vector["kind"]).accepted
        compare(f"{member}.openthread_accepts", vector["openthread_accepts"], accepted)


def in_words(dataset: Dataset) -> dict[str, object]:
    """The dataset's fields in order, under the names and in the shapes of the vectors."""
    words: dict[str, object] = {}
    for tlv in dataset.tlvs:
        if tlv.type in FIELDS:
            name, shape, _ = FIELDS[tlv.type]
            words[tlv_name(tlv.type)] = shape(getattr(dataset, name))
        else:
            words[tlv_name(tlv.type)] = tlv.value.hex()
    return words


def from_words(words: Mapping[str, Any]) -> Dataset:
    """The dataset that the decoded fields describe, TLV by TLV in their order."""
    dataset = Dataset.of()
    for name, word in words.items():
        if name not in TYPES:
            raise Mismatch(f"decoded.{name}", "a TLV name", name)
        if TYPES[name] in FIELDS:
            field, _, value_of = FIELDS[TYPES[name]]
            dataset = dataset.with_tlvs(Dataset.of(**{field: value_of(word)}))
        else:
            dataset = dataset.with_tlvs([Tlv(TYPES[name], bytes.fromhex(word))])
    return dataset


def _timestamp(value: Timestamp) -> dict[str, int]:
    return {"seconds": value.seconds, "ticks": value.ticks, "authoritative": int(value.authoritative)}


def _channel_mask(mask: ChannelMask) -> list[dict[str, object]]:
    return [
        {"page": entry.page, "mask": entry.mask.hex(), "channels": list(entry.channels())} for entry in mask.entries
    ]


def _channel_mask_of(words: list[dict[str, Any]]) -> ChannelMask:
    return ChannelMask(tuple(ChannelMaskEntry(entry["page"], bytes.fromhex(entry["mask"])) for entry in words))


FIRST_BYTE = {
    "obtain_network_key": "obtain_network_key",
    "native_commissioning": "native_commissioning",
    "routers": "routers",
    "external_commissioning": "external_commissioning",
    "legacy_beacons_bit": "legacy_beacons",
    "commercial_commissioning": "commercial_commissioning",
    "autonomous_enrollment": "autonomous_enrollment",
    "network_key_provisioning": "network_key_provisioning",
}
SECOND_BYTE = {
    "toble_link": "toble_link",
    "non_ccm_routers": "non_ccm_routers",
    "version_threshold_for_routing": "version_threshold_for_routing",
}


def _security_policy(policy: SecurityPolicy) -> dict[str, object]:
    bits = FIRST_BYTE if len(policy.flags) == 1 else {**FIRST_BYTE, **SECOND_BYTE}
    words = {word: getattr(policy, name) for word, name in bits.items()}
    return {"rotation_hours": policy.rotation_hours, "flags": policy.flags.hex(), **words}


def _security_policy_of(words: dict[str, Any]) -> SecurityPolicy:
    """From the named bits; the reserved bits of the second flags byte have no name, so they come from `flags`."""
    flags = bytes.fromhex(words["flags"])
    bits = {name: words[word] for word, name in {**FIRST_BYTE, **SECOND_BYTE}.items() if word in words}
    named = SecurityPolicy.of(words["rotation_hours"], **bits)
    reserved = bytes((0, 0x38))
    return SecurityPolicy(
        named.rotation_hours,
        bytes(bit & ~mask | flag & mask for bit, flag, mask in zip(named.flags, flags, reserved, strict=False)),
    )


def _network_name(name: str) -> dict[str, str]:
    return {"text": name, "hex": name.encode().hex()}


def _timestamp_of(words: dict[str, int]) -> Timestamp:
    return Timestamp(words["seconds"], words["ticks"], bool(words["authoritative"]))


FIELDS: dict[int, tuple[str, Callable[[Any], object], Callable[[Any], object]]] = {
    0: ("channel", Channel._asdict, lambda words: Channel(**words)),
    1: ("pan_id", lambda pan_id: f"0x{pan_id:04x}", lambda word: int(word, 16)),
    2: ("ext_pan_id", bytes.hex, bytes.fromhex),
    3: ("network_name", _network_name, lambda words: words["text"]),
    4: ("pskc", bytes.hex, bytes.fromhex),
    5: ("network_key", bytes.hex, bytes.fromhex),
    7: ("mesh_local_prefix", bytes.hex, bytes.fromhex),
    12: ("security_policy", _security_policy, _security_policy_of),
    14: ("active_timestamp", _timestamp, _timestamp_of),
    51: ("pending_timestamp", _timestamp, _timestamp_of),
    52: ("delay_timer_ms", int, int),
    53: ("channel_mask", _channel_mask, _channel_mask_of),
    74: ("wakeup_channel", Channel._asdict, lambda words: Channel(**words)),
}
"""TLV type -> our field, its shape in the vectors, and the way back."""

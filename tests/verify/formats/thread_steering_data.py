"""Vectors of steering data: joiner ids, their checksums and the filter; or a filter and whether it admits anybody."""

from typing import Any

from pairing.thread.steering import SteeringData, crc16_ansi, crc16_ccitt, joiner_id
from tests.verify.mismatch import compare, compare_members


def recognises(document: object) -> bool:
    """Whether this is a list of steering filters."""
    vectors = document.get("vectors") if isinstance(document, dict) else None
    return isinstance(vectors, list) and any(isinstance(v, dict) and "steering_data" in v for v in vectors)


def check(document: dict[str, Any]) -> None:
    """Make every filter from its EUI-64s, judge those that are given; raises Mismatch."""
    for index, vector in enumerate(document["vectors"]):
        member = f"vectors[{index}]"
        if "eui64" in vector:
            _check_joiners(member, vector)
        else:
            given = SteeringData(bytes.fromhex(vector["steering_data"]))
            compare(f"{member}.any_joiner", vector["any_joiner"], given.admits_any)
            compare(f"{member}.length", vector["length"], len(given.filter))


def _check_joiners(member: str, vector: dict[str, Any]) -> None:
    identifiers = [joiner_id(bytes.fromhex(eui64)) for eui64 in vector["eui64"]]
    got = {
        "joiner_ids": [identifier.hex() for identifier in identifiers],
        "crc16_ccitt": [f"{crc16_ccitt(identifier):04x}" for identifier in identifiers],
        "crc16_ansi": [f"{crc16_ansi(identifier):04x}" for identifier in identifiers],
        "steering_data": SteeringData.of_joiners(identifiers, vector["length"]).filter.hex(),
    }
    for name, value in got.items():
        compare_members(f"{member}.{name}", vector[name], value)

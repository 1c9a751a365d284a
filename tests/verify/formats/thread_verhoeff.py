"""Vectors of nine-digit administration codes: whether the check digit is right, and which one eight digits get."""

from typing import Any

from pairing.thread.ephemeral_key import check_digit, is_valid_code
from tests.verify.mismatch import compare


def recognises(document: object) -> bool:
    """Whether this is a list of codes."""
    vectors = document.get("vectors") if isinstance(document, dict) else None
    return isinstance(vectors, list) and any(isinstance(v, dict) and {"code", "valid"} <= v.keys() for v in vectors)


def check(document: dict[str, Any]) -> None:
    """Judge every code; raises Mismatch."""
    for index, vector in enumerate(document["vectors"]):
        code = vector["code"]
        compare(f"vectors[{index}].valid", vector["valid"], is_valid_code(code))
        # OpenThread was asked for the digits of good codes; of others only where it is stated.
        stated = vector["openthread_check_digit"] if vector["valid"] else vector.get("openthread_check_digit")
        if stated is not None:
            compare(f"vectors[{index}].openthread_check_digit", stated, check_digit(code[:8]))

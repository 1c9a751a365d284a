"""Vectors of PSKc: the salt and the key that follow from passphrase, network name and extended PAN ID."""

from typing import Any

from pairing.thread.pskc import derive_pskc, pskc_salt
from tests.verify.mismatch import compare


def recognises(document: object) -> bool:
    """Whether this is a list of PSKc derivations."""
    vectors = document.get("vectors") if isinstance(document, dict) else None
    return isinstance(vectors, list) and any(
        isinstance(v, dict) and {"pskc", "extended_pan_id"} <= v.keys() for v in vectors
    )


def check(document: dict[str, Any]) -> None:
    """Derive every salt and key; raises Mismatch."""
    for index, vector in enumerate(document["vectors"]):
        member = f"vectors[{index}]"
        passphrase = _input(vector, member, "passphrase")
        network_name = _input(vector, member, "network_name")
        ext_pan_id = bytes.fromhex(vector["extended_pan_id"])
        compare(f"{member}.salt_hex", vector["salt_hex"], pskc_salt(network_name, ext_pan_id).hex())
        compare(f"{member}.pskc", vector["pskc"], derive_pskc(passphrase, network_name, ext_pan_id).hex())


def _input(vector: dict[str, Any], member: str, name: str) -> bytes:
    """The input as bytes, given as text, as hexadecimal text, or as both."""
    if name not in vector:
        return bytes.fromhex(vector[f"{name}_hex"])
    data: bytes = vector[name].encode()
    if f"{name}_hex" in vector:
        compare(f"{member}.{name}_hex", vector[f"{name}_hex"], data.hex())
    return data

"""Vectors of TCAT proofs: the MAC from key, challenge and the device's public key, which is that of its certificate."""

from pathlib import Path
from typing import Any

from pairing.thread.tcat.proofs import tcat_proof
from tests.verify.mismatch import Mismatch, compare
from tests.verify.tcat_words import certificate, certificate_rows

_KEYS = {"PSKd": None, "PSKc": None, "install code": None}


def recognises(document: object) -> bool:
    """Whether this is a list of proofs."""
    rows = document.get("rows") if isinstance(document, dict) else None
    return isinstance(rows, list) and any(isinstance(row, dict) and "deviceSpki" in row for row in rows)


def check_beside(document: dict[str, Any], folder: Path | None) -> None:
    """Make every proof; raises Mismatch."""
    certificates = certificate_rows(folder)
    for index, row in enumerate(document["rows"]):
        member = f"rows[{index}]"
        if row["direction"] not in ("device proves", "commissioner proves") or row["secret"] not in _KEYS:
            raise Mismatch(f"{member}.secret", list(_KEYS), row["secret"])
        spki = certificate(certificates, row["deviceCertificate"]).spki
        compare(f"{member}.deviceSpki", row["deviceSpki"], spki.hex())
        mac = tcat_proof(bytes.fromhex(row["key"]), bytes.fromhex(row["challenge"]), spki)
        compare(f"{member}.mac", row["mac"], mac.hex())

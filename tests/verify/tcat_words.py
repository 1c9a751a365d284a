"""TCAT's TLVs, datasets and certificates under the names that the vectors give them."""

import json
from pathlib import Path
from typing import Any

from pairing.thread.dataset import Dataset
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.tlvs import TcatType, first_tlv, status_name, tcat_type_name
from tests.verify.mismatch import Mismatch

SHIPPED = Path(__file__).parents[1] / "vectors" / "tcat"
_FIELDS = {
    14: "activeTimestamp",
    0: "channel",
    53: "channelMask",
    2: "xpanid",
    7: "meshLocalPrefix",
    5: "networkKey",
    3: "networkName",
    1: "panid",
    4: "pskc",
    12: "securityPolicy",
    51: "pendingTimestamp",
    52: "delayTimer",
    74: "wakeupChannel",
}


def beside(folder: Path | None, name: str) -> dict[str, Any]:
    """A file of the same folder, or the shipped one of that name."""
    for place in (folder, SHIPPED):
        if place is not None and (place / name).is_file():
            found: dict[str, Any] = json.loads((place / name).read_text(encoding="utf-8"))
            return found
    raise Mismatch(name, "a file in the same folder", "none")


def certificate_rows(folder: Path | None) -> dict[str, dict[str, Any]]:
    """The rows of `certificates.json`, those of the folder before the shipped ones."""
    rows: dict[str, dict[str, Any]] = {
        **beside(None, "certificates.json")["certificates"],
        **beside(folder, "certificates.json")["certificates"],
    }
    return rows


def certificate(rows: dict[str, dict[str, Any]], name: str) -> ThreadCertificate:
    """One of them, decoded."""
    if name not in rows:
        raise Mismatch("certificate", "a name in certificates.json", name)
    return ThreadCertificate.decode(bytes.fromhex(rows[name]["der"]))


def decoded(data: bytes | None) -> dict[str, object] | None:
    """What decoding gives for the first TLV; None for fewer than two bytes."""
    first = None if data is None else first_tlv(data)
    if data is None or first is None:
        return None
    words: dict[str, object] = {
        "type": first.type,
        "name": tcat_type_name(first.type),
        "lengthForm": "extended" if first.is_long_form else "short",
        "length": first.length,
        "value": first.value.hex(),
        "complete": first.complete,
        "trailing": data[first.size :].hex(),
    }
    if first.type == TcatType.STATUS and first.value:
        words |= {"status": first.value[0], "statusName": status_name(first.value[0])}
    return words


def dataset_words(value: bytes) -> dict[str, str]:
    """The fields of a dataset in their order, and its name as text at the end."""
    dataset = Dataset.decode(value)
    words = {_FIELDS.get(tlv.type, f"type{tlv.type}"): tlv.value.hex() for tlv in dataset.tlvs}
    if dataset.network_name is not None:
        words["networkNameText"] = dataset.network_name
    return words

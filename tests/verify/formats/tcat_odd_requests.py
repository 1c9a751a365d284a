"""Vectors of malformed TCAT requests: what our device answers, and what the next ping brings on the same channel."""

from pathlib import Path
from typing import Any

from tests.verify.mismatch import compare, compare_members
from tests.verify.tcat_device import Connection
from tests.verify.tcat_words import certificate_rows, decoded


def recognises(document: object) -> bool:
    """Whether this is a list of odd requests."""
    rows = document.get("rows") if isinstance(document, dict) else None
    return isinstance(rows, list) and any(isinstance(row, dict) and "nextPing" in row for row in rows)


def check_beside(document: dict[str, Any], folder: Path | None) -> None:
    """Send every request to a fresh device; raises Mismatch."""
    certificates = certificate_rows(folder)
    for index, row in enumerate(document["rows"]):
        member, ping = f"rows[{index}]", row["nextPing"]
        connection = Connection(document["device"], certificates, document["commissionerCertificate"])
        request = bytes.fromhex(row["request"])
        compare_members(f"{member}.requestDecoded", row["requestDecoded"], decoded(request))
        answers = connection.send(request)
        _check(member, row, answers)
        compare_members(f"{member}.replyDecoded", row["replyDecoded"], decoded(answers[0] if answers else None))
        _check(f"{member}.nextPing", ping, connection.send(bytes.fromhex(ping["request"])))
        connection.draws.check_used()


def _check(member: str, row: dict[str, Any], answers: list[bytes]) -> None:
    got = [answer.hex() for answer in answers]
    compare_members(f"{member}.replies", row["replies"], got)
    compare(f"{member}.reply", row["reply"], got[0] if got else None)

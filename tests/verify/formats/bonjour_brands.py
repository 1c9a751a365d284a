"""The vector of vendor names that Home Assistant gives a brand: each name its brand, any other string none."""

from typing import Any

from pairing.dnssd.txt import TxtRecord
from pairing.thread.home_assistant_view import BRANDS, DiscoveredRouter, discover
from tests.verify.mismatch import Mismatch


def recognises(document: object) -> bool:
    """Whether this is the brand table."""
    return isinstance(document, dict) and isinstance(document.get("brands"), dict)


def check(document: dict[str, Any]) -> None:
    """Ask the discovery for the brand of every name, and of names near them; raises Mismatch."""
    brands: dict[str, str] = document["brands"]
    for name, brand in brands.items():
        _compare(name, brand)
        for other in (name.swapcase(), f"{name} ", name[:-1], f"{name}s"):
            _compare(other, brands.get(other))
    for name in BRANDS:
        _compare(name, brands.get(name))


def _compare(vendor_name: str, expected: str | None) -> None:
    record = TxtRecord.of([("xa", b"\x01" * 8), ("xp", b"\x02" * 8), ("at", bytes(8)), ("vn", vendor_name.encode())])
    view = discover("any", record)
    got = view.brand if isinstance(view, DiscoveredRouter) else "not discovered"
    if got != expected:
        raise Mismatch(f"brands.{vendor_name}", expected, got)

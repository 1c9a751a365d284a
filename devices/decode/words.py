"""Numbers in words: members of enums, flags, addresses, times."""

import re
from enum import IntEnum, IntFlag


def named(kind: type[IntEnum], number: int) -> str:
    """A member in words, `data path request`; `unknown` for a number that the enum does not have."""
    try:
        return spelled(kind(number).name)
    except ValueError:
        return "unknown"


def flags(kind: type[IntFlag], bits: int) -> str:
    """The flags that are set, `PIN display, PIN keypad`; what has no name as a number; `none` for none."""
    names = [spelled(each.name or "") for each in kind if each & bits]
    known = 0
    for each in kind:
        known |= each
    if bits & ~known:
        names.append(f"{bits & ~known:#x}")
    return ", ".join(names) or "none"


def spelled(name: str) -> str:
    """An enum's name as people write it: words in lower case, abbreviations as they are."""
    special = _SPECIAL.get(name)
    return special or " ".join(word if _ABBREVIATION.fullmatch(word) else word.lower() for word in name.split("_"))


_SPECIAL = {
    "FOLLOW_UP": "follow-up",
    "NPK_NIK_CACHING": "NPK and NIK caching",
    "SUB_1_GHZ": "below 1 GHz",
    "GHZ_2_4": "2.4 GHz",
    "GHZ_5": "5 GHz",
    "GHZ_6": "6 GHz",
    "VHT_80_80": "VHT 80+80",
    "SAE_HASH_TO_ELEMENT": "SAE hash-to-element",
    "IPV6_INTERFACE_ID": "IPv6 interface identifier",
}


_ABBREVIATION = re.compile(
    "CCMP|DFS|FSD|GAS|GCMP|GTK|HE|MIC|NAN|NDC|NDL|NDP|NDPE|NFC|NIK|PASN|PIN|PMKID|QOS|QR|RSNE|S3|SAE|VHT"
)


def address(octets: bytes) -> str:
    """A link-layer address, `02:00:5e:00:53:01`."""
    return octets.hex(":")


def count(number: int, what: str) -> str:
    """`1 byte`, `3 bytes`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

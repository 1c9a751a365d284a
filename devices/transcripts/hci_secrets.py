"""Keys that stand in the open between a Bluetooth host and its controller, and how a recording leaves them out.

Long-term keys go to the controller for encryption, identity keys for resolving; bonds exchange both, and signing keys.
Source: Core Specification 5.4, Vol 4, Part E, 7.8.24, 7.8.25, 7.8.38; Vol 3, Part H, 3.6.
"""

from collections.abc import Mapping
from typing import Final

_KEY: Final = 16
_COMMANDS: Final[Mapping[bytes, tuple[int, ...]]] = {
    b"\x01\x19\x20": (16,),  # LE Enable Encryption: handle, random number, diversifier, key
    b"\x01\x1a\x20": (6,),  # LE Long Term Key Request Reply: handle, key
    b"\x01\x27\x20": (11, 27),  # LE Add Device To Resolving List: address, the peer's key, the own key
}
"""Where keys begin in commands, as H4."""
_SECURITY_MANAGER: Final = b"\x06\x00"
_KEYS_OF_A_BOND: Final = (0x06, 0x08, 0x0A)
"""Encryption Information, Identity Information, Signing Information: a code, and the key."""
_SMP_AT, _SMP_KEY_AT = 9, 10


def without_keys(packet: bytes) -> bytes:
    """The packet (H4) with zeros where a key stood."""
    places = _COMMANDS.get(packet[:3], ())
    if packet[:1] == b"\x02" and packet[7:9] == _SECURITY_MANAGER and packet[_SMP_AT : _SMP_AT + 1]:
        places = (_SMP_KEY_AT,) if packet[_SMP_AT] in _KEYS_OF_A_BOND else ()
    for at in places:
        packet = packet[:at] + bytes(len(packet[at : at + _KEY])) + packet[at + _KEY :]
    return packet

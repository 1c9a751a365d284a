"""The fixed values of Wi-Fi Aware, and addresses as text.

Source: Wi-Fi Aware specification 4.0, sections 2 (identifiers) and 9.1 (frame formats).
"""

from pairing.errors import EncodeError

ADDRESS_LENGTH = 6
NAN_OUI = bytes.fromhex("506f9a")
NAN_NETWORK_ID = bytes.fromhex("516f9a010000")
"""Group address of multicast service discovery frames."""
CLUSTER_ID_PREFIX = bytes.fromhex("506f9a01")
"""Every cluster ID begins so; the last two octets are random."""
BROADCAST = b"\xff" * ADDRESS_LENGTH


def check_address(address: bytes, what: str = "address") -> None:
    """Raise EncodeError unless it has six octets."""
    if len(address) != ADDRESS_LENGTH:
        raise EncodeError(f"{what} has {len(address)} octets, expected {ADDRESS_LENGTH}")


def address_text(address: bytes) -> str:
    """`02:11:3b:5d:07:41`, how events name a peer."""
    return address.hex(":")


def is_group_address(address: bytes) -> bool:
    """Whether a frame to this address is for more than one device."""
    return bool(address[0] & 1)

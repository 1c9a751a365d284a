"""The service ID: what is on the air in place of a service's name.

Which names a platform accepts is `platform_rules`' business.
Source: Wi-Fi Aware specification 4.0, section 2.4; letters are lower-cased octet by octet, ASCII only.
"""

import hashlib

from pairing.nan.attributes.synchronization import SERVICE_ID_LENGTH

_LOWER = bytes(octet + 0x20 if 0x41 <= octet <= 0x5A else octet for octet in range(256))


def service_id(name: str) -> bytes:
    """The first six octets of SHA-256 over the lower-cased name. Letters beyond ASCII are hashed as they are."""
    return hashlib.sha256(name.encode().translate(_LOWER)).digest()[:SERVICE_ID_LENGTH]


def service_id_as_spelled(name: str) -> bytes:
    """The known mistake: hashed without lower-casing, so that only names in small letters agree with anybody."""
    return hashlib.sha256(name.encode()).digest()[:SERVICE_ID_LENGTH]

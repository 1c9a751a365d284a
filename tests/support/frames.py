"""Valid 802.11 frames to send and bend: the 24-octet header and the least that a body needs. Layouts: `wifi-aware`."""

CLUSTER = bytes.fromhex("506f9a012500")
OTHER_CLUSTER = bytes.fromhex("506f9a01ffff")
NETWORK_ID = bytes.fromhex("516f9a010000")
BROADCAST = b"\xff" * 6
PUBLISH, SUBSCRIBE, FOLLOW_UP = 0, 1, 2
_SDF = bytes.fromhex("0409506f9a13")


def mac(number: int) -> bytes:
    """The individual, locally administered address of that number."""
    return b"\x02" + number.to_bytes(5, "big")


def service(number: int) -> bytes:
    """A service ID."""
    return b"\xd3" + number.to_bytes(5, "big")


def frame(
    to: bytes, sender: bytes, body: bytes = b"\x04\x09body", *, bssid: bytes = CLUSTER, control: bytes = b"\xd0\0"
) -> bytes:
    """A frame, by default an Action frame."""
    return control + b"\0\0" + to + sender + bssid + b"\0\0" + body


def descriptor(kind: int, service_id: bytes) -> bytes:
    """A Service Descriptor attribute."""
    return b"\x03\x09\0" + service_id + bytes((1, 0, kind))


def sdf(
    sender: bytes, *attributes: bytes, to: bytes = NETWORK_ID, bssid: bytes = CLUSTER, control: bytes = b"\xd0\0"
) -> bytes:
    """A Service Discovery Frame, by default for all."""
    return frame(to, sender, _SDF + b"".join(attributes), bssid=bssid, control=control)


def beacon(sender: bytes, interval_tu: int) -> bytes:
    """A NAN beacon: 512 TU synchronises, 100 TU is for discovery."""
    body = bytes(8) + interval_tu.to_bytes(2, "little") + b"\x20\x04"
    return frame(BROADCAST, sender, body, control=b"\x80\0")

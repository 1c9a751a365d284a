"""TCAT parties for tests: certificates with chosen rights, a device's agent, and what its outputs say."""

from typing import Any

from pairing.engine import Event, Outputs, Transmit
from pairing.thread.dataset import Dataset
from pairing.thread.tcat.authorization import Authorization, Requirement
from pairing.thread.tcat.certificates import (
    AUTHORIZATION,
    DOMAIN_NAME,
    EXTENDED_PAN_ID,
    NETWORK_NAME,
    ThreadCertificate,
)
from pairing.thread.tcat.device import TcatAgent
from pairing.thread.tcat.profile import TcatNode, TcatProfile
from pairing.thread.tcat.tlvs import TcatTlv, TcatType

DATASET = Dataset.from_hex(
    "0e080000000000010000000300001235060004001fffe00208ef1398c2fd504b670708fd35344133d1d73e"
    "0510fda7c771a27202e232ecd04cf934f476030f4f70656e5468726561642d633634650102c64e0410"
    "5e9b9b360f80b88be2603fb0135c8d650c0402a0f7f8"
)
PEER = "commissioner"
SPKI = b"the device's public key"


def certificate(*, commissioner: bool, rights: int = 1, **extensions: bytes) -> ThreadCertificate:
    """With the same flags for every class; `name`, `xpanid` and `domain` as its extensions."""
    flags = Requirement(rights)
    given = Authorization(
        is_commissioner=commissioner,
        commissioning=flags,
        extraction=flags,
        decommissioning=flags,
        application=flags,
    )
    numbers = {"name": NETWORK_NAME, "xpanid": EXTENDED_PAN_ID, "domain": DOMAIN_NAME}
    elements = {numbers[word]: bytes((0x04, len(value))) + value for word, value in extensions.items()}
    elements[AUTHORIZATION] = b"\x04\x05" + given.encode()
    return ThreadCertificate(der=b"certificate", spki=SPKI, extensions=elements)


def agent(node: TcatNode | None = None, **profile: Any) -> TcatAgent:
    """A device that has started."""
    given = {"certificate": certificate(commissioner=False), "device_id": bytes(8), "pskd": "J01NME", **profile}
    made = TcatAgent(TcatProfile(**given), lambda length: bytes(range(length)), node)
    made.start(0)
    return made


def connected(node: TcatNode | None = None, by: ThreadCertificate | None = None, **profile: Any) -> TcatAgent:
    """A device with its commissioner, who may do anything unless another is given."""
    made = agent(node, **profile)
    made.activate(0)
    made.connected(PEER, by or certificate(commissioner=True), 0)
    return made


def ask(device: TcatAgent, command: TcatType, value: bytes = b"") -> str:
    """The answer in hex."""
    return sent(device.receive(TcatTlv(command, value).encode(), PEER, 0)).hex()


def sent(outputs: Outputs) -> bytes:
    """Everything that is to be sent."""
    return b"".join(each.payload for each in outputs if isinstance(each, Transmit))


def names(outputs: Outputs) -> list[str]:
    """The events by name."""
    return [type(each).__name__ for each in outputs if isinstance(each, Event)]

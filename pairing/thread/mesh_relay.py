"""The joiner relay inside the mesh: between a Joiner Router and the border router where the Commissioner is connected.

RLY_RX (c/rx) goes to the Border Agent locator of the commissioner dataset, RLY_TX (c/tx) to the Joiner Router Locator;
both are NON without an answer, from and to the TMF port. Which of them is needed follows from the partition; within one
node nothing travels. Thread specification, chapter 8.4.4.4.
"""

from pairing.coap.message import CoapCode, CoapMessage, CoapType, path_options
from pairing.engine import Endpoint, Transmit
from pairing.errors import DecodeError
from pairing.thread.network import Network
from pairing.thread.relay import RelayMessage
from pairing.thread.udp_proxy import TMF_PORT, locator_address

MESH_LINK = "mesh"
"""`Endpoint.link` of datagrams between the routers of a mesh."""
_RECEIVED, _TRANSMIT = "c/rx", "c/tx"


class MeshRelay:
    """One node's part. It draws nothing: message ids count up from zero."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._message_id = 0

    def to_commissioner(self, received: bytes) -> Transmit | None:
        """The payload of RLY_RX on its way to where the Commissioner is, unless that is here or nowhere."""
        active = self._network.commissioning.active
        locator = None if active is None else active.locator
        return self._sent(_RECEIVED, received, locator) if self._is_elsewhere(locator) else None

    def to_joiner_router(self, message: RelayMessage) -> Transmit | None:
        """RLY_TX on its way to the Joiner Router, unless that is this node or nobody."""
        locator = message.joiner_router_locator
        return self._sent(_TRANSMIT, message.encode_transmit(), locator) if self._is_elsewhere(locator) else None

    def read(self, datagram: bytes) -> tuple[bool, RelayMessage]:
        """Whether a datagram is RLY_RX, and what it relays. Raises DecodeError."""
        message = CoapMessage.decode(datagram)
        if message.code != CoapCode.POST or message.path not in (_RECEIVED, _TRANSMIT):
            raise DecodeError(0, f"mesh: expected POST of {_RECEIVED} or {_TRANSMIT}, came {message.path!r}")
        return message.path == _RECEIVED, RelayMessage.decode(message.payload)

    def _is_elsewhere(self, locator: int | None) -> bool:
        partition = self._network.partition
        if locator is None or partition is None or locator == self._network.rloc16:
            return False
        return partition.routers.get(locator >> 10) is not None

    def _sent(self, path: str, payload: bytes, locator: int | None) -> Transmit:
        self._message_id = (self._message_id + 1) & 0xFFFF
        message = CoapMessage(CoapType.NON, CoapCode.POST, self._message_id, b"", path_options(path), payload)
        host = str(locator_address(self._network.mesh_local_prefix, locator or 0))
        return Transmit(message.encode(), Endpoint(host, TMF_PORT, MESH_LINK))

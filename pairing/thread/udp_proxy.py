"""The Border Agent's UDP proxy: UDP_TX (c/ut) into the mesh, UDP_RX (c/ur) out of it, and the Leader at its far end.

`ProxiedDatagram` is the codec of both. `LeaderProxy` is the mesh as one Commissioner sees it: a CoAP endpoint for the
Leader, which alone lives there and reports to the Commissioner, too; datagrams to other nodes get no answer. Thread
specification, chapter 8.10.3.
"""

from dataclasses import dataclass, field
from ipaddress import IPv6Address

from pairing.coap.endpoint import CoapEndpoint
from pairing.coap.events import CoapEvent, CoapRequestReceived
from pairing.coap.message import CoapCode, CoapType
from pairing.coap.settings import CoapSettings
from pairing.engine import Endpoint, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit
from pairing.errors import DecodeError
from pairing.thread.leader import Leader, LeaderAnswer
from pairing.thread.meshcop_events import request_answered
from pairing.thread.node import LEADER_ALOC
from pairing.thread.node_requests import COMMANDS, DIAGNOSTIC_QUERY, ENERGY_SCAN, Report
from pairing.thread.tlv_values import UdpEncapsulation
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs

_T = MeshCopTlvType
TMF_PORT = 61631
_LOCATOR_IID = bytes.fromhex("000000fffe00")
MESH_COAP = CoapSettings(token_length=2)
"""OpenThread draws tokens of two octets."""


def locator_address(mesh_local_prefix: bytes, locator: int) -> IPv6Address:
    """The mesh-local address of a routing or anycast locator."""
    return IPv6Address(mesh_local_prefix + _LOCATOR_IID + locator.to_bytes(2, "big"))


@dataclass(frozen=True, slots=True)
class ProxiedDatagram:
    """A UDP datagram of the mesh. `address` is its destination in UDP_TX, its source in UDP_RX."""

    address: IPv6Address
    source_port: int
    destination_port: int
    payload: bytes = field(repr=False)

    @classmethod
    def decode(cls, payload: bytes) -> "ProxiedDatagram":
        """From TLVs of any order; port 0 is no port."""
        first: dict[int, bytes] = {}
        for tlv in split_tlvs(payload, extended=True):
            first.setdefault(tlv.type, tlv.value)
        address, udp = first.get(_T.IPV6_ADDRESS, b""), first.get(_T.UDP_ENCAPSULATION, b"")
        if len(address) < 16 or len(udp) < 4:
            raise DecodeError(0, "UDP proxy: expected an IPv6 address and a UDP datagram")
        inner = UdpEncapsulation.decode(udp)
        if not inner.source_port or not inner.destination_port:
            raise DecodeError(0, "UDP proxy: port 0")
        return cls(IPv6Address(address[:16]), inner.source_port, inner.destination_port, inner.payload)

    def encode_transmit(self) -> bytes:
        """The payload of UDP_TX."""
        address, udp = self._tlvs()
        return join_tlvs((address, udp), extended=True)

    def encode_received(self) -> bytes:
        """The payload of UDP_RX."""
        address, udp = self._tlvs()
        return join_tlvs((udp, address), extended=True)

    def _tlvs(self) -> tuple[Tlv, Tlv]:
        udp = UdpEncapsulation(self.source_port, self.destination_port, self.payload)
        return Tlv(_T.IPV6_ADDRESS, self.address.packed), Tlv(_T.UDP_ENCAPSULATION, udp.encode())


class LeaderProxy:
    """The mesh behind one Commissioner's connection. Every `Transmit` it returns holds the payload of a UDP_RX."""

    def __init__(self, leader: Leader, entropy: Entropy, peer: str | None) -> None:
        self._leader = leader
        self._peer = peer
        self._coap = CoapEndpoint(entropy, MESH_COAP)
        self._scan: tuple[Micros, Report] | None = None

    @property
    def deadline(self) -> Micros | None:
        """When a notification goes out again, or a report is due."""
        waits = (self._coap.deadline, self._scan[0] if self._scan else None)
        return min((at for at in waits if at is not None), default=None)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Notifications that nobody acknowledged go out again, or are given up; a scan is over."""
        outputs = self._wrapped(self._coap.handle_timeout(now))
        if self._scan is not None and self._scan[0] <= now:
            (_, report), self._scan = self._scan, None
            outputs += self._report(report, now)
        return outputs

    def transmit(self, payload: bytes, now: Micros) -> Outputs:
        """UDP_TX from the Commissioner."""
        try:
            datagram = ProxiedDatagram.decode(payload)
        except DecodeError as error:
            return [self._ignored(str(error))]
        if not self._reaches_leader(datagram):
            return [self._ignored(f"nothing answers at {datagram.address} port {datagram.destination_port}")]
        # The endpoint's peer is the port at the other end, and the address of ours that it spoke to.
        peer = Endpoint(str(datagram.address), datagram.source_port)
        outputs: list[Output] = []
        for output in self._coap.receive(datagram.payload, peer, now):
            if isinstance(output, CoapRequestReceived):
                outputs += self._on_request(output, now)
            else:
                outputs += self._wrapped([output])
        return outputs

    def notify_dataset_changed(self, now: Micros) -> Outputs:
        """MGMT_DATASET_CHANGED to the Commissioner."""
        leader = locator_address(self._leader.network.mesh_local_prefix, LEADER_ALOC)
        _, outputs = self._coap.request(Endpoint(str(leader), TMF_PORT), CoapCode.POST, "c/dc", b"", now)
        return self._wrapped(outputs)

    def _reaches_leader(self, datagram: ProxiedDatagram) -> bool:
        """The Leader's anycast locator or this node's own. Any prefix will do: a dataset may have lost its own."""
        packed = datagram.address.packed
        locator = int.from_bytes(packed[14:], "big")
        is_ours = packed[8:14] == _LOCATOR_IID and locator in (LEADER_ALOC, self._leader.network.rloc16)
        return is_ours and datagram.destination_port == TMF_PORT

    def _on_request(self, request: CoapRequestReceived, now: Micros) -> Outputs:
        asked = request.message
        if asked.path == ENERGY_SCAN and self._scan is not None:
            answer = LeaderAnswer(CoapCode.SERVICE_UNAVAILABLE)
        else:
            answer = self._leader.respond(asked.path, asked.payload, now, peer=self._peer)
        is_answered = asked.message_type is CoapType.CON or asked.path not in (*COMMANDS, DIAGNOSTIC_QUERY)
        code = answer.code if is_answered else None
        outputs: list[Output] = [request_answered("proxy", asked, code, self._peer), *answer.outputs]
        if code is not None:  # with type ACK to a NON as well, as OpenThread does
            outputs += self._wrapped(self._coap.respond(request, code, answer.payload, now, kind=CoapType.ACK))
        if answer.report is not None and answer.report.delay:
            self._scan = now + answer.report.delay, answer.report
        elif answer.report is not None:
            outputs += self._report(answer.report, now)
        return outputs

    def _report(self, report: Report, now: Micros) -> list[Output]:
        """A request of the node's own, from its routing locator."""
        address = IPv6Address(self._leader.network.rloc_address())
        _, sent = self._coap.request(Endpoint(str(address), TMF_PORT), CoapCode.POST, report.path, report.payload, now)
        return self._wrapped(sent)

    def _wrapped(self, outputs: Outputs) -> list[Output]:
        """Each message of the Leader's as the UDP_RX that carries it. How a notification fared interests nobody."""
        wrapped: list[Output] = []
        for output in outputs:
            if isinstance(output, Transmit) and isinstance(output.to, Endpoint):
                datagram = ProxiedDatagram(IPv6Address(output.to.host), TMF_PORT, output.to.port, output.payload)
                wrapped.append(Transmit(datagram.encode_received(), output.to))
            elif not isinstance(output, CoapEvent):
                wrapped.append(output)
        return wrapped

    def _ignored(self, reason: str) -> FrameIgnored:
        return FrameIgnored(peer=self._peer, reason=reason, protocol="meshcop")

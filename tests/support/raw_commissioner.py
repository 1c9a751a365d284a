"""A client that says exactly what the test wants: CoAP messages in a DTLS connection, and what comes back."""

from pairing.coap.message import CoapCode, CoapMessage, CoapType, path_options
from pairing.dtls.client import DtlsClient
from pairing.dtls.events import ApplicationDataReceived
from pairing.engine import Address, Micros, Output, Outputs
from pairing.thread.udp_proxy import TMF_PORT, ProxiedDatagram, locator_address
from tests.support.meshcop import PSKC
from tests.support.meshcop_wire import PORTS, Client, Wire
from tests.support.thread_network import DATASET, counting_entropy

LEADER = locator_address(DATASET.mesh_local_prefix or b"", 0xFC00)
ACCEPT, REJECT = bytes.fromhex("100101"), bytes.fromhex("1001ff")


class RawCommissioner:
    """An engine without rules of its own above DTLS."""

    def __init__(self, address: Address, password: bytes = PSKC, seed: int = 77) -> None:
        self.dtls = DtlsClient(address, password, counting_entropy(seed))
        self.received: list[CoapMessage] = []

    @property
    def deadline(self) -> Micros | None:
        """The handshake's."""
        return self.dtls.deadline

    def start(self, now: Micros) -> Outputs:
        """Connect."""
        return self.dtls.start(now)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """Keep messages, pass everything else on."""
        return self._keep(self.dtls.receive(payload, sender, now))

    def handle_timeout(self, now: Micros) -> Outputs:
        """The handshake's."""
        return self._keep(self.dtls.handle_timeout(now))

    def _keep(self, outputs: Outputs) -> list[Output]:
        kept: list[Output] = []
        for output in outputs:
            if isinstance(output, ApplicationDataReceived):
                self.received.append(CoapMessage.decode(output.data))
            else:
                kept.append(output)
        return kept


class RawSession:
    """A connected raw client on a wire, with numbered messages."""

    def __init__(self, wire: Wire, *, link: str = "", password: bytes = PSKC, host: str = "192.0.2.8") -> None:
        self.wire = wire
        self.engine = RawCommissioner(PORTS[link], password, seed=len(wire.clients) + 500)
        self.client: Client = wire.add(self.engine, link, host)
        self.message_id = 0
        wire.do(self.client, self.engine.start)
        wire.run(100_000)

    def send(self, data: bytes) -> list[CoapMessage]:
        """One record, and every message that comes back within a tenth of a second."""
        before = len(self.engine.received)
        self.wire.do(self.client, lambda now: self.engine.dtls.send(data, now))
        self.wire.run(100_000)
        return self.engine.received[before:]

    def ask(
        self,
        path: str,
        payload: bytes = b"",
        *,
        kind: CoapType = CoapType.CON,
        code: int = CoapCode.POST,
        message_id: int | None = None,
    ) -> list[CoapMessage]:
        """One request."""
        self.message_id += 1
        number = self.message_id if message_id is None else message_id
        token = number.to_bytes(2, "big")
        return self.send(CoapMessage(kind, code, number, token, path_options(path), payload).encode())

    def petition(self, name: str = "raw") -> bytes:
        """Petition; TLV 11 of the session that the Leader gave."""
        _, answer = self.ask("c/cp", b"\x0a" + bytes((len(name),)) + name.encode())
        assert answer.payload.startswith(ACCEPT), answer
        return answer.payload[-4:]

    def ask_leader(self, path: str, payload: bytes = b"", **over: object) -> list[CoapMessage]:
        """One request through the UDP proxy; the Leader's messages that came back."""
        self.message_id += 1
        number = self.message_id
        inner = CoapMessage(CoapType.CON, CoapCode.POST, number, b"\x01\x02", path_options(path), payload)
        datagram = ProxiedDatagram(
            over.get("address", LEADER),  # type: ignore[arg-type]
            TMF_PORT,
            over.get("port", TMF_PORT),  # type: ignore[arg-type]
            inner.encode(),
        )
        back = self.ask("c/ut", datagram.encode_transmit(), kind=CoapType.NON)
        assert all(message.path == "c/ur" for message in back)
        return [CoapMessage.decode(ProxiedDatagram.decode(message.payload).payload) for message in back]

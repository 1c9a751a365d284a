"""A Commissioner's way to its Border Agent: a DTLS client, CoAP in it, and CoAP to the Leader in the UDP proxy.

Requests go out, their answers come back matched; what they mean is `commissioner`'s. Order of draws: the first message
IDs of the connection and of the proxy, unless given; the DTLS client's; a token of eight octets for each request, the
inner one before that of the UDP_TX around it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address

from pairing.coap.endpoint import CoapEndpoint
from pairing.coap.events import CoapEvent, CoapRequestFailed, CoapRequestReceived, CoapResponseReceived
from pairing.coap.message import CoapCode, CoapMessage
from pairing.coap.settings import CoapSettings
from pairing.dtls.client import DtlsClient
from pairing.dtls.events import ApplicationDataReceived
from pairing.dtls.settings import DtlsSettings
from pairing.dtls.states import DtlsState
from pairing.engine import (
    Address,
    Endpoint,
    Entropy,
    Event,
    FrameIgnored,
    Micros,
    Output,
    Outputs,
    Transmit,
    peer_name,
)
from pairing.errors import DecodeError, EncodeError, PairingError
from pairing.thread.meshcop_events import DatasetChangeNotified
from pairing.thread.relay import RelayMessage
from pairing.thread.udp_proxy import TMF_PORT, ProxiedDatagram


@dataclass(frozen=True, slots=True)
class Request:
    """A request that waits for its answer. `is_own`: the engine's, of which its owner hears only if it fails."""

    path: str
    payload: bytes = field(repr=False)
    is_own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerArrived(Event):
    """The answer to a request; for the Commissioner's eyes only."""

    request: Request
    answer: CoapMessage = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMissing(Event):
    """There is no answer; for the Commissioner's eyes only."""

    request: Request
    error: PairingError


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinerDatagramReceived(Event):
    """A joiner's datagram came over the relay; for the Commissioner's eyes only."""

    message: RelayMessage


class CommissionerLink:
    """One connection. Everything that it returns is to be sent or digested by its owner."""

    def __init__(
        self,
        address: Address,
        password: bytes,
        entropy: Entropy,
        settings: DtlsSettings,
        first_message_id: int | None = None,
    ) -> None:
        self.peer = peer_name(address)
        self._address = address
        self._dtls = DtlsClient(address, password, entropy, settings)
        coap = CoapSettings(first_message_id=first_message_id)
        self._coap = CoapEndpoint(entropy, coap)
        self._inner = CoapEndpoint(entropy, coap)
        self._requests: dict[bytes, Request] = {}
        self._inner_requests: dict[bytes, Request] = {}
        self._reached: set[Address] = set()

    @property
    def deadline(self) -> Micros | None:
        """When something goes out again, or is given up."""
        waits = (self._dtls.deadline, self._coap.deadline, self._inner.deadline)
        return min((at for at in waits if at is not None), default=None)

    @property
    def is_idle(self) -> bool:
        """Whether every request has had its answer."""
        return not (self._requests or self._inner_requests)

    def start(self, now: Micros) -> list[Output]:
        """Begin the handshake."""
        return self._on_dtls(self._dtls.start(now), now)

    def close(self, now: Micros) -> list[Output]:
        """End the connection, or give up the handshake."""
        return self._on_dtls(self._dtls.close(now), now)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> list[Output]:
        """A datagram has arrived."""
        return self._on_dtls(self._dtls.receive(payload, sender, now), now)

    def handle_timeout(self, now: Micros) -> list[Output]:
        """Send again what is due, or give it up."""
        outputs = self._on_dtls(self._dtls.handle_timeout(now), now)
        outputs += self._on_coap(self._coap.handle_timeout(now), now)
        return [*outputs, *self._on_inner(self._inner.handle_timeout(now), now)]

    def ask(self, request: Request, now: Micros) -> list[Output]:
        """A confirmable request to the Border Agent."""
        token, outputs = self._coap.request(self._address, CoapCode.POST, request.path, request.payload, now)
        self._requests[token] = request
        return self._sent(outputs, now)

    def ask_mesh(self, request: Request, address: IPv6Address, now: Micros) -> list[Output]:
        """A confirmable request to a node of the mesh, through the UDP proxy."""
        to = Endpoint(str(address), TMF_PORT)
        self._reached.add(to)
        token, outputs = self._inner.request(to, CoapCode.POST, request.path, request.payload, now)
        self._inner_requests[token] = request
        return self._on_inner(outputs, now)

    def post(self, path: str, payload: bytes, now: Micros) -> list[Output]:
        """A NON request to the Border Agent that nobody answers; without a connection it is lost."""
        if self._dtls.state is not DtlsState.CONNECTED:
            return []
        _, outputs = self._coap.request(
            self._address, CoapCode.POST, path, payload, now, is_confirmable=False, wants_response=False
        )
        return self._sent(outputs, now)

    def abandon(self) -> tuple[Request, ...]:
        """The connection is over: nothing is waited for any more. Returns what had no answer."""
        left = (*self._requests.values(), *self._inner_requests.values())
        self._requests.clear()
        self._inner_requests.clear()
        self._coap.forget(self._address)
        for address in self._reached:
            self._inner.forget(address)
        return left

    # From the layers below

    def _on_dtls(self, outputs: Outputs, now: Micros) -> list[Output]:
        done: list[Output] = []
        for output in outputs:
            if isinstance(output, ApplicationDataReceived):
                done += self._on_coap(self._coap.receive(output.data, self._address, now), now)
            else:
                done.append(output)
        return done

    def _on_coap(self, outputs: Outputs, now: Micros) -> list[Output]:
        return self._digest(outputs, self._requests, lambda sent: self._sent([sent], now), self._on_request, now)

    def _on_inner(self, outputs: Outputs, now: Micros) -> list[Output]:
        return self._digest(outputs, self._inner_requests, lambda sent: self._proxied(sent, now), self._on_notice, now)

    def _digest(
        self,
        outputs: Outputs,
        requests: dict[bytes, Request],
        send: Callable[[Transmit], list[Output]],
        on_request: Callable[[CoapRequestReceived, Micros], list[Output]],
        now: Micros,
    ) -> list[Output]:
        """What one of the two CoAP endpoints said: messages sent on, answers matched."""
        done: list[Output] = []
        for output in outputs:
            match output:
                case Transmit():
                    done += send(output)
                case CoapRequestReceived():
                    done += on_request(output, now)
                case CoapResponseReceived(token=token, message=message) if token in requests:
                    done.append(AnswerArrived(request=requests.pop(token), answer=message, peer=self.peer))
                case CoapRequestFailed(token=token, error=error) if token in requests:
                    done.append(AnswerMissing(request=requests.pop(token), error=error, peer=self.peer))
                case CoapEvent():
                    pass
                case _:
                    done.append(output)
        return done

    def _on_request(self, request: CoapRequestReceived, now: Micros) -> list[Output]:
        """UDP_RX and RLY_RX; there is nothing else here."""
        try:
            match request.message.path:
                case "c/ur":
                    return self._on_datagram(ProxiedDatagram.decode(request.message.payload), now)
                case "c/rx":
                    message = RelayMessage.decode(request.message.payload)
                    return [JoinerDatagramReceived(message=message, peer=self.peer)]
        except DecodeError as error:
            return [self._ignored(str(error))]
        return self._sent(self._coap.respond(request, CoapCode.NOT_FOUND, b"", now), now)

    def _on_datagram(self, datagram: ProxiedDatagram, now: Micros) -> list[Output]:
        if datagram.destination_port != TMF_PORT:
            return [self._ignored(f"UDP_RX for port {datagram.destination_port}, expected {TMF_PORT}")]
        sender = Endpoint(str(datagram.address), datagram.source_port)
        self._reached.add(sender)
        return self._on_inner(self._inner.receive(datagram.payload, sender, now), now)

    def _on_notice(self, request: CoapRequestReceived, now: Micros) -> list[Output]:
        """MGMT_DATASET_CHANGED is acknowledged with an empty 2.04."""
        is_notification = request.message.path == "c/dc"
        code = CoapCode.CHANGED if is_notification else CoapCode.NOT_FOUND
        told: list[Output] = [DatasetChangeNotified(peer=self.peer)] if is_notification else []
        return [*told, *self._on_inner(self._inner.respond(request, code, b"", now), now)]

    # To the layers below

    def _proxied(self, sent: Transmit, now: Micros) -> list[Output]:
        """A message to the mesh in a UDP_TX."""
        if not isinstance(sent.to, Endpoint):
            return []
        datagram = ProxiedDatagram(IPv6Address(sent.to.host), TMF_PORT, sent.to.port, sent.payload)
        return self.post("c/ut", datagram.encode_transmit(), now)

    def _sent(self, outputs: Sequence[Output], now: Micros) -> list[Output]:
        """CoAP messages as records of the connection."""
        done: list[Output] = []
        for output in outputs:
            if not isinstance(output, Transmit):
                done.append(output)
            elif self._dtls.state is DtlsState.CONNECTED:
                try:
                    done += self._dtls.send(output.payload, now)
                except EncodeError as error:
                    done.append(self._ignored(str(error)))
        return done

    def _ignored(self, reason: str) -> FrameIgnored:
        return FrameIgnored(peer=self.peer, reason=reason, protocol="meshcop")

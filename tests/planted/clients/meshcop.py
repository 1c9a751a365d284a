"""What the sample Commissioners share: a DTLS connection over a UDP socket of their own, and CoAP messages in it.

The DTLS is `pairing`'s; requests, their numbers, tokens and repetitions are by hand, as in many a small program.
"""

import os
import socket
import time
from collections import deque
from collections.abc import Iterable, Mapping
from ipaddress import IPv6Address

from pairing.coap.message import CoapCode, CoapMessage, CoapType, path_options
from pairing.dtls.client import DtlsClient
from pairing.dtls.events import AlertReceived, ApplicationDataReceived
from pairing.dtls.settings import DtlsSettings, DtlsTimes
from pairing.dtls.states import DtlsState
from pairing.engine import Endpoint, Outputs, Transmit
from pairing.errors import PairingError

FIRST_WAIT_US = 250_000
LONGEST_WAIT_US = 2_000_000
WAITS_SECONDS = (0.3, 0.6, 1.2, 2.4)
TMF_PORT = 61631
LEADER = bytes.fromhex("000000fffe00fc00")
STATE, COMMISSIONER_ID, SESSION_ID, NETWORK_NAME, PREFIX, TIMESTAMP = 16, 10, 11, 3, 7, 14
ADDRESS, UDP = 49, 48
ACCEPT, REJECT = b"\x01", b"\xff"


def tlvs(fields: Mapping[int, bytes]) -> bytes:
    """Types and values as they travel; the encapsulated UDP datagram has the long form."""
    return b"".join(
        bytes((kind, 0xFF)) + len(value).to_bytes(2, "big") + value
        if kind == UDP
        else bytes((kind, len(value))) + value
        for kind, value in fields.items()
    )


def read_tlvs(payload: bytes) -> dict[int, bytes]:
    """The values by type, of types that we know and of others."""
    found: dict[int, bytes] = {}
    while len(payload) >= 2:
        kind, length, start = payload[0], payload[1], 2
        if length == 0xFF:
            length, start = int.from_bytes(payload[2:4], "big"), 4
        found[kind] = payload[start : start + length]
        payload = payload[start + length :]
    return found


class Link:
    """A connection to the Border Agent at `host:port`. `alert` is what it said when it refused us."""

    def __init__(self, place: str, password: bytes, dtls: type[DtlsClient] = DtlsClient) -> None:
        host, _, port = place.rpartition(":")
        self._peer = Endpoint(host, int(port))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((host, int(port)))
        times = DtlsTimes(first_wait=FIRST_WAIT_US, longest_wait=LONGEST_WAIT_US)
        self._dtls = dtls(self._peer, password, os.urandom, DtlsSettings(times=times))
        self._inbox: deque[CoapMessage] = deque()
        self.alert = ""

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._dtls.state is DtlsState.CONNECTED

    def connect(self, within: float) -> bool:
        """Shake hands. False: refused (`alert`), or no answer in time."""
        until = time.monotonic() + within
        self._carry_out(self._dtls.start(_now()))
        while not (self.is_up or self._dtls.state.is_final) and time.monotonic() < until:
            self._wait(until)
        return self.is_up

    def send(self, message: CoapMessage) -> None:
        """One message; whether it arrives is another matter."""
        if self.is_up:
            self._carry_out(self._dtls.send(message.encode(), _now()))

    def hear(self, within: float) -> CoapMessage | None:
        """The next message, if one comes in time."""
        until = time.monotonic() + within
        while not self._inbox and self.is_up and time.monotonic() < until:
            self._wait(until)
        return self._inbox.popleft() if self._inbox else None

    def close(self) -> None:
        """Say good-bye where there is a connection; the socket goes in any case."""
        if not self._dtls.state.is_final:
            self._carry_out(self._dtls.close(_now()))
        self._socket.close()

    def _wait(self, until: float) -> None:
        due = self._dtls.deadline
        ends = until if due is None else min(until, due / 1_000_000)
        self._socket.settimeout(max(0.001, ends - time.monotonic()))
        try:
            self._carry_out(self._dtls.receive(self._socket.recv(65_535), self._peer, _now()))
        except TimeoutError:
            self._carry_out(self._dtls.handle_timeout(_now()))
        except ConnectionRefusedError:
            time.sleep(0.05)

    def _carry_out(self, outputs: Outputs) -> None:
        for output in outputs:
            match output:
                case Transmit():
                    self._send(output.payload)
                case AlertReceived():
                    self.alert = output.alert.name
                case ApplicationDataReceived():
                    self._read(output.data)

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except ConnectionRefusedError:
            return

    def _read(self, data: bytes) -> None:
        try:
            self._inbox.append(CoapMessage.decode(data))
        except PairingError:
            return


class Asker:
    """Confirmable requests on a connection, one at a time: sent again until their answer is there."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._number = int.from_bytes(os.urandom(2), "big")

    def number(self) -> int:
        """A message ID."""
        self._number = (self._number + 1) & 0xFFFF
        return self._number

    def ask(self, path: str, payload: bytes = b"") -> bytes | None:
        """A request to the Border Agent; the answer's payload, None if there is no answer."""
        request = CoapMessage(CoapType.CON, CoapCode.POST, self.number(), os.urandom(8), path_options(path), payload)
        for seconds in WAITS_SECONDS:
            self.link.send(request)
            answer = self._await(request, (self.link.hear(left) for left in _countdown(seconds)))
            if answer is not None:
                return answer.payload
        return None

    def ask_leader(self, prefix: bytes, path: str, payload: bytes) -> bytes | None:
        """A request to the Leader, through the UDP proxy."""
        request = CoapMessage(CoapType.CON, CoapCode.POST, self.number(), os.urandom(8), path_options(path), payload)
        for seconds in WAITS_SECONDS:
            self.to_mesh(prefix, request)
            answer = self._await(request, (self._from_mesh(self.link.hear(left)) for left in _countdown(seconds)))
            if answer is not None:
                return answer.payload
        return None

    def to_mesh(self, prefix: bytes, message: CoapMessage) -> None:
        """One message into the mesh; nobody says whether it got there."""
        ports = TMF_PORT.to_bytes(2, "big") * 2
        payload = tlvs({ADDRESS: IPv6Address(prefix + LEADER).packed, UDP: ports + message.encode()})
        self.link.send(
            CoapMessage(CoapType.NON, CoapCode.POST, self.number(), os.urandom(8), path_options("c/ut"), payload)
        )

    def is_answer(self, request: CoapMessage, message: CoapMessage) -> bool:
        """A response with the request's token: on its acknowledgement, or in a message of its own."""
        return message.is_response and message.token == request.token

    def _await(self, request: CoapMessage, messages: Iterable[CoapMessage | None]) -> CoapMessage | None:
        return next((each for each in messages if each is not None and self.is_answer(request, each)), None)

    def _from_mesh(self, message: CoapMessage | None) -> CoapMessage | None:
        if message is None or message.path != "c/ur":
            return None
        return CoapMessage.decode(read_tlvs(message.payload)[UDP][4:])


def _countdown(seconds: float) -> Iterable[float]:
    """What is left of a time, until nothing is."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        yield left


def _now() -> int:
    return time.monotonic_ns() // 1_000

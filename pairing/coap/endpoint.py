"""A CoAP endpoint: requests with their retries and answers, duplicates, separate responses, pings.

It is client and server at once, towards any number of addresses, and knows nothing of what a path means: whoever owns
it answers `CoapRequestReceived`. Order of draws: the first message ID (2 octets) at construction, unless the settings
name it; a token at each request. Left out: blocks, observation, multicast, caching, congestion control.
Source: RFC 7252, sections 4 (messages) and 5 (requests and responses).
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypedDict

from pairing.coap.events import (
    CoapDeliveryFailed,
    CoapPingAnswered,
    CoapRequestFailed,
    CoapRequestReceived,
    CoapResponseReceived,
)
from pairing.coap.message import CoapCode, CoapMessage, CoapOption, CoapType, code_text, path_options
from pairing.coap.settings import CoapSettings
from pairing.coap.states import SENT, SentInput, SentState
from pairing.engine import Address, Entropy, Event, FrameIgnored, Micros, Output, Outputs, Transmit, peer_name
from pairing.errors import DecodeError, ExchangeTimeoutError, LocalProtocolError, PairingError, PeerRejectedError

PROTOCOL = "coap"


@dataclass(slots=True)
class _Sent:
    """A message of ours that wants something back. A request wants a response, anything else only its ACK or RST."""

    to: Address
    message: CoapMessage
    state: SentState
    next_at: Micros
    wait: Micros
    retries: int = 0

    @property
    def is_request(self) -> bool:
        return self.message.is_request

    def move(self, what: SentInput) -> bool:
        """Take the move if the table has it."""
        after = SENT.get((self.state, what))
        if after is not None:
            self.state = after
        return after is not None


@dataclass(slots=True)
class _Received:
    """A message ID that has been seen, and the ACK or RST that went back."""

    until: Micros
    reply: bytes | None = field(default=None, repr=False)


class _Facts(TypedDict):
    """What every event says."""

    peer: str
    address: Address


def _facts(address: Address) -> _Facts:
    return {"peer": peer_name(address), "address": address}


class CoapEndpoint:
    """One endpoint."""

    def __init__(self, entropy: Entropy, settings: CoapSettings | None = None) -> None:
        self._entropy = entropy
        self._settings = settings or CoapSettings()
        first = self._settings.first_message_id
        self._next_id = int.from_bytes(entropy(2), "big") if first is None else first
        self._sent: dict[tuple[Address, int], _Sent] = {}
        self._received: OrderedDict[tuple[Address, int], _Received] = OrderedDict()

    @property
    def deadline(self) -> Micros | None:
        """The next retry or end of patience."""
        return min((each.next_at for each in self._sent.values()), default=None)

    # What the owner asks for

    def request(
        self,
        to: Address,
        code: int,
        path: str,
        payload: bytes,
        now: Micros,
        *,
        is_confirmable: bool = True,
        wants_response: bool = True,
        options: Iterable[CoapOption] = (),
        token: bytes | None = None,
        message_id: int | None = None,
    ) -> tuple[bytes, Outputs]:
        """Send a request; its token comes back, by which the answer is known. A NON may go without an answer."""
        if token is None:
            token = self._entropy(self._settings.token_length)
        kind = CoapType.CON if is_confirmable else CoapType.NON
        number = self._take_id(to, message_id)
        message = CoapMessage(kind, code, number, token, (*path_options(path), *options), payload)
        if not message.is_request:
            raise LocalProtocolError(f"CoAP: code {code_text(code)} is no request")
        encoded = message.encode()
        if is_confirmable or wants_response:
            self._expect(to, message, now)
        return token, [Transmit(encoded, to)]

    def ping(self, to: Address, now: Micros) -> Outputs:
        """Send an empty CON, which a living peer resets."""
        message = CoapMessage(CoapType.CON, CoapCode.EMPTY, self._take_id(to, None))
        self._expect(to, message, now)
        return [Transmit(message.encode(), to)]

    def acknowledge(self, request: CoapRequestReceived, now: Micros) -> Outputs:
        """Acknowledge a CON request with an empty ACK, because its response comes separately."""
        key = (request.address, request.message.message_id)
        if request.message.message_type is not CoapType.CON or self._was_answered(key):
            raise LocalProtocolError("CoAP: only a CON that has not been acknowledged can be")
        return [self._reply(key, CoapMessage(CoapType.ACK, CoapCode.EMPTY, request.message.message_id))]

    def respond(
        self,
        request: CoapRequestReceived,
        code: int,
        payload: bytes,
        now: Micros,
        *,
        options: Iterable[CoapOption] = (),
        kind: CoapType | None = None,
        message_id: int | None = None,
    ) -> Outputs:
        """Answer a request: piggybacked on the ACK of a CON, separately after an empty ACK, NON to a NON.

        `kind` says otherwise: ACK also for a NON (as OpenThread does), CON or NON for a separate response.
        """
        asked = request.message
        key = (request.address, asked.message_id)
        is_open = asked.message_type is CoapType.CON and not self._was_answered(key)
        chosen = kind if kind is not None else CoapType.ACK if is_open else CoapType.NON
        if chosen is CoapType.RST:
            raise LocalProtocolError("CoAP: a response is no RST; `reset` refuses a message")
        if chosen is CoapType.ACK:
            message = CoapMessage(CoapType.ACK, code, asked.message_id, asked.token, tuple(options), payload)
            return [self._reply(key, message)]
        number = self._take_id(request.address, message_id)
        message = CoapMessage(chosen, code, number, asked.token, tuple(options), payload)
        encoded = message.encode()
        if chosen is CoapType.CON:
            self._expect(request.address, message, now)
        return [Transmit(encoded, request.address)]

    def reset(self, request: CoapRequestReceived) -> Outputs:
        """Refuse a request with RST."""
        number = request.message.message_id
        return [self._reply((request.address, number), CoapMessage(CoapType.RST, CoapCode.EMPTY, number))]

    def forget(self, to: Address) -> None:
        """The connection that carried messages to this address is over: nothing is sent or waited for any more."""
        self._sent = {key: sent for key, sent in self._sent.items() if key[0] != to}
        for key in [key for key in self._received if key[0] == to]:
            del self._received[key]

    # What the network brings

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram, or a record's worth of application data, has arrived."""
        self._expire(now)
        try:
            message = CoapMessage.decode(payload)
        except DecodeError as error:
            return [self._ignored(sender, str(error))]
        if message.message_type in (CoapType.ACK, CoapType.RST):
            return self._on_reply(message, sender, now)
        key = (sender, message.message_id)
        seen = self._received.get(key)
        if seen is not None:
            again = [self._ignored(sender, f"{message} again")]
            return again if seen.reply is None else [Transmit(seen.reply, sender), *again]
        self._remember(key, message, now)
        if message.is_empty:
            if message.message_type is CoapType.CON:  # a ping
                return [self._reply(key, CoapMessage(CoapType.RST, CoapCode.EMPTY, message.message_id))]
            return [self._ignored(sender, "empty NON")]
        if message.is_request:
            return self._on_request(message, key)
        return self._on_separate_response(message, key)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Send again what is due, or give it up."""
        outputs: list[Output] = []
        for key, sent in list(self._sent.items()):
            if sent.next_at > now:
                continue
            if sent.state is SentState.UNACKNOWLEDGED and sent.retries < self._settings.max_retransmit:
                sent.move(SentInput.RETRY)
                sent.retries += 1
                sent.wait *= 2
                sent.next_at = now + sent.wait
                outputs.append(Transmit(sent.message.encode(), sent.to))
            else:
                sent.move(SentInput.GIVE_UP)
                text = f"CoAP: no answer to {sent.message} after {sent.retries} retries"
                outputs.append(self._drop(key, ExchangeTimeoutError(text)))
        return outputs

    # Requests of the peer

    def _on_request(self, message: CoapMessage, key: tuple[Address, int]) -> list[Output]:
        known = self._settings.critical_options
        unknown = [each.number for each in message.options if each.is_critical and each.number not in known]
        if not unknown:
            return [CoapRequestReceived(**_facts(key[0]), message=message)]
        ignored = self._ignored(key[0], f"{message}: critical option {unknown[0]}, which we do not know")
        if message.message_type is CoapType.NON:
            return [ignored]
        refusal = CoapMessage(CoapType.ACK, CoapCode.BAD_OPTION, message.message_id, message.token)
        return [self._reply(key, refusal), ignored]

    # Answers to ours

    def _on_reply(self, message: CoapMessage, sender: Address, now: Micros) -> list[Output]:
        """An ACK or RST: its message ID says to what."""
        key = (sender, message.message_id)
        sent = self._sent.get(key)
        if sent is None:
            return [self._ignored(sender, f"{message} to nothing that we sent")]
        if message.message_type is CoapType.RST:
            return self._on_reset(key, sent)
        if message.is_empty:
            return self._on_acknowledged(key, sent, now)
        if not sent.is_request or message.token != sent.message.token or not message.is_response:
            return [self._ignored(sender, f"{message}: not the answer to {sent.message}")]
        return self._answered(key, sent, message)

    def _on_reset(self, key: tuple[Address, int], sent: _Sent) -> list[Output]:
        sent.move(SentInput.RESET)
        if sent.message.is_empty:
            del self._sent[key]
            return [CoapPingAnswered(**_facts(sent.to), message_id=sent.message.message_id)]
        return [self._drop(key, PeerRejectedError(f"CoAP: the peer reset {sent.message}"))]

    def _on_acknowledged(self, key: tuple[Address, int], sent: _Sent, now: Micros) -> list[Output]:
        if not sent.is_request:
            sent.move(SentInput.ANSWERED)
            del self._sent[key]
        elif sent.move(SentInput.ACKNOWLEDGED):
            sent.next_at = now + self._settings.exchange_lifetime
        return []

    def _on_separate_response(self, message: CoapMessage, key: tuple[Address, int]) -> list[Output]:
        """A CON or NON with a response code: its token says to what."""
        sender = key[0]
        found = next(
            (
                (number, sent)
                for number, sent in self._sent.items()
                if number[0] == sender and sent.is_request and sent.message.token == message.token
            ),
            None,
        )
        is_confirmable = message.message_type is CoapType.CON
        if found is None or not message.is_response:
            ignored = self._ignored(sender, f"{message} to no request of ours")
            if is_confirmable:
                return [self._reply(key, CoapMessage(CoapType.RST, CoapCode.EMPTY, message.message_id)), ignored]
            return [ignored]
        outputs: list[Output] = []
        if is_confirmable:
            outputs.append(self._reply(key, CoapMessage(CoapType.ACK, CoapCode.EMPTY, message.message_id)))
        return [*outputs, *self._answered(*found, message)]

    def _answered(self, key: tuple[Address, int], sent: _Sent, message: CoapMessage) -> list[Output]:
        sent.move(SentInput.ANSWERED)
        del self._sent[key]
        return [CoapResponseReceived(**_facts(sent.to), token=message.token, message=message)]

    def _drop(self, key: tuple[Address, int], error: PairingError) -> Event:
        sent = self._sent.pop(key)
        if sent.is_request:
            return CoapRequestFailed(**_facts(sent.to), token=sent.message.token, error=error)
        number = sent.message.message_id
        return CoapDeliveryFailed(**_facts(sent.to), message_id=number, error=error)

    # Numbers and memory

    def _take_id(self, to: Address, wanted: int | None) -> int:
        """The next message ID that nothing of ours to this address still bears."""
        if wanted is not None:
            return wanted
        for _ in range(0x10000):
            number = self._next_id
            self._next_id = (number + 1) & 0xFFFF
            if (to, number) not in self._sent:
                return number
        raise LocalProtocolError("CoAP: every message ID is in use")

    def _expect(self, to: Address, message: CoapMessage, now: Micros) -> None:
        if message.message_type is CoapType.CON:
            wait, state = self._settings.ack_timeout, SentState.UNACKNOWLEDGED
        else:
            wait, state = self._settings.non_lifetime, SentState.WAITING
        self._sent[to, message.message_id] = _Sent(to, message, state, now + wait, wait)

    def _reply(self, key: tuple[Address, int], message: CoapMessage) -> Transmit:
        """Send an ACK or RST, and keep it for a repetition of what it answers."""
        encoded = message.encode()
        seen = self._received.get(key)
        if seen is not None:
            seen.reply = encoded
        return Transmit(encoded, key[0])

    def _was_answered(self, key: tuple[Address, int]) -> bool:
        seen = self._received.get(key)
        return seen is None or seen.reply is not None

    def _remember(self, key: tuple[Address, int], message: CoapMessage, now: Micros) -> None:
        is_confirmable = message.message_type is CoapType.CON
        lifetime = self._settings.exchange_lifetime if is_confirmable else self._settings.non_lifetime
        self._received[key] = _Received(now + lifetime)
        while len(self._received) > self._settings.remembered:
            self._received.popitem(last=False)

    def _expire(self, now: Micros) -> None:
        for key in [key for key, seen in self._received.items() if seen.until <= now]:
            del self._received[key]

    def _ignored(self, sender: Address, reason: str) -> FrameIgnored:
        return FrameIgnored(peer=peer_name(sender), reason=reason, protocol=PROTOCOL)

"""The Border Agent of a recorded session, replayed: it gets what the Commissioner and the joiner sent, and must answer
the same. Inputs are the randomness and the state in `border_agent`, with what happened to it from outside."""

from typing import Any

from pairing.dtls.key_schedule import DtlsKeys
from pairing.dtls.record import ContentType, decode_records
from pairing.engine import Endpoint, Event, Outputs, Transmit
from pairing.thread.border_agent import EPHEMERAL_LINK, JOINER_LINK, MAIN_LINK, BorderAgent, BorderAgentSettings
from pairing.thread.management import ManagementPolicy
from pairing.thread.relay import RelayMessage
from tests.support.meshcop import recorded_network
from tests.verify.dtls_capture import CLIENT, Capture, opened
from tests.verify.meshcop_capture import RecordedDraws, first_own_id, inner_of, said_in, tokens_of
from tests.verify.mismatch import Mismatch, compare

TAKE_OVER = "another connection petitions with the same commissioner id"
EPHEMERAL_PORT = 49154


class BorderAgentReplay:
    """One run."""

    def __init__(self, document: dict[str, Any], keys: DtlsKeys) -> None:
        self._document = document
        self._given = document["border_agent"]
        self._capture = Capture(document)
        self._keys = keys
        self._said = said_in(self._capture, keys)
        self._sent: list[bytes] = []
        self._to_joiner: list[str] = []
        self._events: list[Event] = []
        self._link = EPHEMERAL_LINK if "code" in document else MAIN_LINK
        self._network = recorded_network(
            active=self._given["active_dataset"],
            pending=self._given["pending_dataset"],
            rloc16=int(self._given["border_agent_locator"] or "0", 16),
            next_session_id=int(self._given["commissioner_session_id"] or "1", 16),
            holder=self._given["active_commissioner"],
        )
        settings = BorderAgentSettings(
            dtls=self._capture.server_settings(), management=ManagementPolicy(without_session=True)
        )
        entropy = RecordedDraws({2: self._draws(), 32: self._capture.server_draws()})
        self._agent = BorderAgent(self._network, entropy, settings, self._capture.cookies())

    def _draws(self) -> list[bytes]:
        """Two octets each: the Joiner Router's message ID, those of a connection's two endpoints, then tokens."""
        inner = [inner_of(each.message) for each in self._said if each.direction == "s2c" and each.message is not None]
        started = [each.message_id for each in inner if each is not None and each.is_request]
        first_inner = (started[0] if started else 0).to_bytes(2, "big")
        return [bytes(2), first_own_id(self._said, "s2c"), first_inner, *tokens_of(self._said, "s2c")]

    def run(self) -> None:
        """Replay and compare; raises Mismatch."""
        begin = self._capture.datagrams[0].now
        if self._link == EPHEMERAL_LINK:
            code = self._document["code"]
            self._take(self._network.activate_ephemeral_key(EPHEMERAL_PORT, begin, code=code))
        self._take(self._agent.follow(begin))
        for datagram in self._capture.datagrams:
            self._let_happen(datagram.index, datagram.now)
            if datagram.direction == "s2c":
                self._relay(datagram.index)
            elif not datagram.is_lost:
                self._take(self._agent.receive(datagram.octets, CLIENT._replace(link=self._link), datagram.now))
        self._compare()

    def _let_happen(self, index: int, now: int) -> None:
        """Time passes, and what came from outside."""
        self._take(self._network.handle_timeout(now))
        self._take(self._agent.handle_timeout(now))
        for event in self._given.get("events", ()):
            if event["before_datagram"] == index:
                if TAKE_OVER not in event["event"]:
                    raise Mismatch("border_agent.events", "an event that we know", event["event"])
                self._take(self._agent.steal_session(now))

    def _relay(self, index: int) -> None:
        """A datagram of the joiner's that the file shows on its way to the Commissioner."""
        for said in [each for each in self._said if each.datagram == index]:
            message = said.message
            if message is None or message.path != "c/rx":
                continue
            relayed = RelayMessage.decode(message.payload)
            if relayed.joiner_router_locator != self._network.rloc16:
                self._take(self._agent.relay(relayed, said.now))
                continue
            joiner = Endpoint("192.0.2.3", relayed.joiner_udp_port, JOINER_LINK)
            if not self._agent.joiner_router.joiners:
                eui64 = bytes.fromhex(self._document["joiner_eui64"])
                self._agent.receive(eui64, joiner, said.now)
            self._take(self._agent.receive(relayed.dtls, joiner, said.now))

    def _take(self, outputs: Outputs) -> None:
        for output in outputs:
            if not isinstance(output, Transmit):
                self._events.append(output)
            elif isinstance(output.to, Endpoint) and output.to.link == JOINER_LINK:
                self._to_joiner.append(output.payload.hex())
            else:
                for record in decode_records(output.payload):
                    if record.epoch and record.content_type != ContentType.HANDSHAKE:
                        self._sent.append(opened(record, "s2c", self._keys) or b"")

    def _compare(self) -> None:
        own = [each for each in self._said if each.direction == "s2c"]
        for number, said in enumerate(own):
            got = self._sent[number].hex() if number < len(self._sent) else None
            compare(f"datagrams[{said.datagram}].hex (plaintext)", said.plaintext.hex(), got)
        extra = [each.hex() for each in self._sent[len(own) :]]
        is_cut_short = bool(self._said) and self._said[-1].direction == "c2s"
        compare("datagrams (records of the server)", [], [] if is_cut_short else extra)
        relayed = [message.dtls.hex() for message in self._relayed()]
        if self._agent.joiner_router.joiners:
            compare("datagrams (to the joiner)", relayed, self._to_joiner[: len(relayed)])

    def _relayed(self) -> list[RelayMessage]:
        messages = [(each, each.message) for each in self._said if each.direction == "c2s"]
        return [RelayMessage.decode(m.payload) for _, m in messages if m is not None and m.path == "c/tx"]

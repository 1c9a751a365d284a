"""The Joiner Router: relays a joiner's datagrams, and entrusts it with the network once the Commissioner says so.

Joiners reach it over UDP (`joiner_frames`); the Commissioner's side of the relay is the owner's: payloads of RLY_RX
come out as `Transmit` to `RELAY`, RLY_TX goes in by `relay`. Thread specification, chapter 8.4.4; the delay before
JOIN_ENT and its TLVs as measured from OpenThread. Order of draws: the first CoAP message ID, a token at each JOIN_ENT.
"""

from dataclasses import dataclass, field

from pairing.coap.endpoint import CoapEndpoint
from pairing.coap.events import CoapRequestFailed, CoapResponseReceived
from pairing.coap.message import CoapCode
from pairing.coap.settings import CoapSettings
from pairing.engine import (
    MILLISECOND,
    SECOND,
    Address,
    Endpoint,
    Entropy,
    FrameIgnored,
    Micros,
    Output,
    Outputs,
    Transmit,
    peer_name,
)
from pairing.errors import AuthenticationError, DecodeError
from pairing.thread.joiner_frames import DiscoveryAnswer, SecuredFrame, is_dtls_record, is_registration
from pairing.thread.joiner_states import ENTRUST, EntrustInput, EntrustState
from pairing.thread.leader import Leader, find_tlv
from pairing.thread.meshcop_events import JoinerDiscovered, JoinerEntrusted, JoiningFailed
from pairing.thread.network import Network
from pairing.thread.relay import RelayMessage
from pairing.thread.steering import joiner_id, joiner_iid
from pairing.thread.tlv_values import tlv_of
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs

_T = MeshCopTlvType
RELAY = "relay"
"""Where payloads of RLY_RX go."""
DEFAULT_JOINER_PORT = 1000
ENTRUST_DELAY: Micros = 50 * MILLISECOND
FORGOTTEN_AFTER: Micros = 120 * SECOND
MOST_JOINERS = 64
ENTRUST_TLVS = (
    _T.NETWORK_KEY,
    _T.MESH_LOCAL_PREFIX,
    _T.EXTENDED_PAN_ID,
    _T.NETWORK_NAME,
    _T.ACTIVE_TIMESTAMP,
    _T.CHANNEL_MASK,
    _T.PSKC,
    _T.SECURITY_POLICY,
)
"""What JOIN_ENT holds of the Active Dataset, in this order; Network Key Sequence comes after them."""


@dataclass(slots=True)
class _Joiner:
    """A joiner that has registered."""

    address: Address
    eui64: bytes
    iid: bytes
    heard_at: Micros
    kek: bytes | None = field(default=None, repr=False)
    state: EntrustState = EntrustState.NOTHING
    entrust_at: Micros | None = None
    counter: int = 0

    def move(self, what: EntrustInput) -> bool:
        after = ENTRUST.get((self.state, what))
        if after is not None:
            self.state = after
        return after is not None


class JoinerRouter:
    """One router. It is the joiners' way to whoever commissions; it does not look into their DTLS."""

    def __init__(self, leader: Leader, entropy: Entropy) -> None:
        self._leader = leader
        self._coap = CoapEndpoint(entropy, CoapSettings(token_length=2))
        self._joiners: dict[Address, _Joiner] = {}

    @property
    def _network(self) -> Network:
        return self._leader.network

    @property
    def deadline(self) -> Micros | None:
        """When a joiner is to be entrusted, once more perhaps, or forgotten."""
        waits = [each.entrust_at for each in self._joiners.values()]
        waits += [each.heard_at + FORGOTTEN_AFTER for each in self._joiners.values()]
        return min((at for at in (*waits, self._coap.deadline) if at is not None), default=None)

    @property
    def joiners(self) -> tuple[bytes, ...]:
        """EUI-64s of the joiners that are known, in the order they came."""
        return tuple(each.eui64 for each in self._joiners.values())

    # From the joiner

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram on the joiner port."""
        if not self._network.attached:
            return [_ignored(sender, f"the router is {self._network.role}")]
        if is_registration(payload):
            return self._on_registration(payload, sender, now)
        joiner = self._joiners.get(sender)
        if joiner is None:
            return [_ignored(sender, "datagram of nobody that has registered an EUI-64")]
        joiner.heard_at = now
        if is_dtls_record(payload):
            message = RelayMessage(
                joiner_udp_port=sender.port if isinstance(sender, Endpoint) else DEFAULT_JOINER_PORT,
                joiner_iid=joiner.iid,
                joiner_router_locator=self._network.rloc16,
                dtls=payload,
            )
            return [Transmit(message.encode_received(), RELAY)]
        return self._on_secured(joiner, payload, now)

    def _on_registration(self, eui64: bytes, sender: Address, now: Micros) -> Outputs:
        identifier = joiner_id(eui64)
        known = self._joiners.get(sender)
        if known is None or known.eui64 != eui64:
            self._make_place(eui64)
            self._joiners[sender] = _Joiner(sender, eui64, joiner_iid(identifier), now)
        self._joiners[sender].heard_at = now
        steering = self._leader.steering_data
        port = find_tlv(self._leader.commissioner_tlvs, _T.JOINER_UDP_PORT)
        answer = DiscoveryAnswer(
            ext_pan_id=self._network.ext_pan_id,
            network_name=self._network.network_name,
            steering_data=steering,
            joiner_udp_port=DEFAULT_JOINER_PORT if port is None else int.from_bytes(port[:2], "big"),
            router_locator=self._network.rloc16,
        )
        event = JoinerDiscovered(joiner=eui64.hex(), admitted=steering.admits(identifier), peer=peer_name(sender))
        return [event, Transmit(answer.encode(), sender)]

    def _make_place(self, eui64: bytes) -> None:
        """A joiner that came back from another port has only one place; the one silent for longest yields."""
        for address in [address for address, each in self._joiners.items() if each.eui64 == eui64]:
            self._forget(address)
        while len(self._joiners) >= MOST_JOINERS:
            self._forget(min(self._joiners.values(), key=lambda each: each.heard_at).address)

    def _forget(self, address: Address) -> None:
        del self._joiners[address]
        self._coap.forget(address)

    # From the Commissioner

    def relay(self, message: RelayMessage, now: Micros) -> Outputs:
        """RLY_TX: a datagram for a joiner, and with a KEK the order to entrust it."""
        joiner = next((each for each in self._joiners.values() if each.iid == message.joiner_iid), None)
        if joiner is None:
            return [_ignored(message.joiner_iid.hex(), "relayed datagram for a joiner that is not here")]
        if message.kek is not None and joiner.move(EntrustInput.KEK):
            joiner.kek, joiner.entrust_at = message.kek, now + ENTRUST_DELAY
        return [Transmit(message.dtls, joiner.address)]

    def handle_timeout(self, now: Micros) -> Outputs:
        """Entrust who is due, repeat what was not answered, forget who fell silent."""
        outputs: list[Output] = []
        for joiner in tuple(self._joiners.values()):
            if joiner.entrust_at is not None and joiner.entrust_at <= now:
                joiner.entrust_at = None
                joiner.move(EntrustInput.DELAY_OVER)
                outputs += self._entrust(joiner, now)
            if joiner.heard_at + FORGOTTEN_AFTER <= now:
                self._forget(joiner.address)
        return [*outputs, *self._secured(self._coap.handle_timeout(now))]

    def _entrust(self, joiner: _Joiner, now: Micros) -> list[Output]:
        """JOIN_ENT."""
        dataset = self._network.active_dataset
        if dataset is None:
            return [_ignored(joiner.address, "there is no Active Dataset to entrust")]
        values = [(tlv_type, dataset.value(tlv_type)) for tlv_type in ENTRUST_TLVS]
        tlvs = [Tlv(tlv_type, value) for tlv_type, value in values if value is not None]
        payload = join_tlvs((*tlvs, tlv_of(_T.NETWORK_KEY_SEQUENCE, 0)))
        _, sent = self._coap.request(joiner.address, CoapCode.POST, "c/je", payload, now)
        return self._secured(sent)

    def _secured(self, outputs: Outputs) -> list[Output]:
        """Messages in frames under their joiner's KEK; what became of JOIN_ENT as events."""
        done: list[Output] = []
        for output in outputs:
            match output:
                case Transmit():
                    joiner = self._joiners.get(output.to)
                    if joiner is not None and joiner.kek is not None:
                        joiner.counter += 1
                        frame = SecuredFrame(self._network.ext_address, joiner.counter, output.payload)
                        done.append(Transmit(frame.seal(joiner.kek), output.to))
                case CoapResponseReceived() | CoapRequestFailed():
                    done += self._on_outcome(output)
                case _:
                    done.append(output)
        return done

    def _on_outcome(self, outcome: CoapResponseReceived | CoapRequestFailed) -> list[Output]:
        joiner = self._joiners.get(outcome.address)
        if joiner is None:
            return []
        peer, name = peer_name(joiner.address), joiner.eui64.hex()
        if isinstance(outcome, CoapResponseReceived):
            joiner.move(EntrustInput.ANSWERED)
            return [JoinerEntrusted(joiner=name, peer=peer)]
        joiner.move(EntrustInput.GIVE_UP)
        return [JoiningFailed(joiner=name, error=outcome.error, peer=peer)]

    def _on_secured(self, joiner: _Joiner, payload: bytes, now: Micros) -> list[Output]:
        """The answer to JOIN_ENT."""
        if joiner.kek is None:
            return [_ignored(joiner.address, "neither a DTLS record nor anything else that is expected")]
        try:
            frame = SecuredFrame.open(payload, joiner.kek)
        except (DecodeError, AuthenticationError) as error:
            return [_ignored(joiner.address, str(error))]
        return self._secured(self._coap.receive(frame.payload, joiner.address, now))


def _ignored(sender: Address, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=peer_name(sender), reason=reason, protocol="meshcop")

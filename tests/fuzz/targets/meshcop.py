"""MeshCoP of `pairing.thread`: a Commissioner, a Border Agent and a Joiner; the sharing of credentials by a code."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from pairing.coap.message import CoapMessage
from pairing.dtls.client import DtlsClient
from pairing.dtls.events import HandshakeCompleted
from pairing.dtls.record import DTLS_1_2, ContentType, DtlsRecord, WriteProtection
from pairing.engine import SECOND, Address, Endpoint, Event, Micros, Outputs
from pairing.errors import AuthenticationError, DecodeError, LocalProtocolError
from pairing.thread.border_agent import EPHEMERAL_LINK, JOINER_LINK, BorderAgent
from pairing.thread.commissioner import Commissioner
from pairing.thread.credential_fetch import CredentialFetch
from pairing.thread.fields import Timestamp
from pairing.thread.joiner import Joiner
from pairing.thread.joiner_frames import DiscoveryAnswer, SecuredFrame
from pairing.thread.joiner_states import JoinerState
from pairing.thread.joiner_table import JoinerId
from pairing.thread.meshcop_events import CredentialsFetched, DatasetReceived, FetchFailed, SetAnswered
from pairing.thread.mistakes import known_steering_mistake, timestamp_hint
from pairing.thread.network import Network
from pairing.thread.network_events import CommissionerLost, JoinerFinalized, PetitionAccepted
from pairing.thread.relay import RelayMessage
from pairing.thread.steering import SteeringData
from pairing.thread.tlvs import Tlv, join_tlvs, split_tlvs
from pairing.thread.udp_proxy import ProxiedDatagram
from tests.fuzz import corpus
from tests.fuzz.mutation import rearranged
from tests.fuzz.stage import Dialogue, Party, Stage, engine_target
from tests.fuzz.target import decoder
from tests.support.recorded_entropy import seeded
from tests.support.thread_network import DATASET, make_network

AGENT = Endpoint("192.0.2.2", 49191)
COMMISSIONER, NEWCOMER = Endpoint("192.0.2.1", 49200), Endpoint("192.0.2.9", 49201)
JOINER = Endpoint("192.0.2.3", 1000, JOINER_LINK)
PHONE = Endpoint("192.0.2.4", 49300, EPHEMERAL_LINK)
EUI64, PSKD, CODE = bytes.fromhex("18b4300000000001"), "J01NME", "123456788"
KEK = bytes(16)
AGENT_INDEX, JOINER_INDEX = 1, 2
FORGED_SEQUENCE = 40
HORIZON = 200 * SECOND
RECORD_TYPES = tuple(bytes((number,)) for number in ContentType)
SECURED = b"\x05"


@dataclass
class BorderRouter:
    """The Border Agent with the network that it answers for; their timers are one."""

    network: Network
    agent: BorderAgent

    @property
    def deadline(self) -> Micros | None:
        """The earlier of both."""
        times = (self.network.deadline, self.agent.deadline)
        return min((at for at in times if at is not None), default=None)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram for the agent."""
        return self.agent.receive(payload, sender, now)

    def handle_timeout(self, now: Micros) -> Outputs:
        """First the network, then the agent, which follows it."""
        return [*self.network.handle_timeout(now), *self.agent.handle_timeout(now)]


def allowed(intent: Callable[[], Outputs]) -> Outputs:
    """What an intent puts out; nothing if the state no longer allows it."""
    try:
        return intent()
    except LocalProtocolError:
        return ()


def border_router() -> Stage:
    """A stage with a border router that leads its network."""
    network = make_network()
    network.enable(0)
    now = 0
    while not network.attached:
        assert network.deadline is not None
        now = network.deadline
        network.handle_timeout(now)
    router = BorderRouter(network, BorderAgent(network, seeded("agent")))
    stage = Stage(Party(router, AGENT, tuple(AGENT._replace(link=link) for link in (JOINER_LINK, EPHEMERAL_LINK))))
    stage.now, stage.horizon = now, now + HORIZON
    stage.do(stage.parties[0], router.agent.follow(now))
    return stage


def commissioner(stage: Stage, address: Endpoint) -> Party:
    """Somebody with the PSKc, who connects."""
    assert DATASET.pskc is not None
    engine = Commissioner(AGENT, DATASET.pskc, seeded(address))
    party = Party(engine, address)
    stage.parties.append(party)
    stage.do(party, engine.start(stage.now))
    return party


def begin_joining() -> Stage:
    """A Commissioner petitions, lets a joiner in, and resigns."""
    stage = border_router()
    person = commissioner(stage, COMMISSIONER)
    joiner = Party(Joiner(AGENT._replace(link=JOINER_LINK), EUI64, PSKD, seeded("joiner")), JOINER)
    stage.parties = [person, stage.parties[0], joiner]
    person.owner = partial(_commission, stage, _commissioner_of(person))
    return stage


def _commission(stage: Stage, engine: Commissioner, event: Event, now: Micros) -> Outputs:
    """What the Commissioner's owner does next."""
    match event:
        case HandshakeCompleted():
            return allowed(lambda: engine.petition(now))
        case PetitionAccepted():
            enabled = allowed(lambda: engine.enable_joiner(JoinerId(EUI64), PSKD, 120 * SECOND, now))
            return [*enabled, *allowed(lambda: engine.get_active(now))]
        case SetAnswered():
            joiner = stage.parties[JOINER_INDEX]
            stage.do(joiner, allowed(lambda: _joiner_of(joiner).start(now)))
        case JoinerFinalized():
            return allowed(lambda: engine.get_pending(now))
        case DatasetReceived(kind="pending"):
            return allowed(lambda: engine.resign(now))
        case CommissionerLost():
            return allowed(lambda: engine.close(now))
    return ()


def _commissioner_of(party: Party) -> Commissioner:
    assert isinstance(party.engine, Commissioner)
    return party.engine


def _joiner_of(party: Party) -> Joiner:
    assert isinstance(party.engine, Joiner)
    return party.engine


def check_joining(stage: Stage, was_ignored: bool) -> None:
    """The joiner has come to an end, and whoever has the PSKc can read the dataset."""
    person, router, joiner = stage.parties
    assert isinstance(router.engine, BorderRouter)
    state = _joiner_of(joiner).state
    assert state.is_final or state is JoinerState.IDLE, f"the joiner is {state.value}"
    if was_ignored:
        assert state is JoinerState.JOINED, f"the joiner is {state.value}"
        assert _commissioner_of(person).state.is_final
    dataset = router.engine.network.active_dataset
    if dataset is None or dataset.pskc != DATASET.pskc:
        return  # a Commissioner with the right keys has changed it
    check_reading(stage)


def check_reading(stage: Stage) -> None:
    """Whoever connects next can read the dataset."""
    stage.horizon = stage.now + HORIZON
    newcomer = commissioner(stage, NEWCOMER)
    engine = _commissioner_of(newcomer)

    def read(event: Event, now: Micros) -> Outputs:
        return allowed(lambda: engine.get_active(now)) if isinstance(event, HandshakeCompleted) else ()

    newcomer.owner = read
    stage.play()
    assert newcomer.has(DatasetReceived), "the next Commissioner reads nothing"


def begin_sharing() -> Stage:
    """A code is open, and a phone uses it."""
    stage = border_router()
    router = stage.parties[0]
    assert isinstance(router.engine, BorderRouter)
    stage.do(router, router.engine.network.activate_ephemeral_key(49192, stage.now, code=CODE))
    stage.do(router, router.engine.agent.follow(stage.now))
    fetch = CredentialFetch(AGENT._replace(link=EPHEMERAL_LINK), CODE, seeded("phone"))
    phone = Party(fetch, PHONE)
    stage.parties = [phone, router]
    stage.do(phone, fetch.start(stage.now))
    return stage


def check_sharing(stage: Stage, was_ignored: bool) -> None:
    """The phone has the datasets or knows why not, and the PSKc still opens the main port."""
    phone = stage.parties[0]
    assert phone.has(CredentialsFetched, FetchFailed)
    if was_ignored:
        assert phone.has(CredentialsFetched), "a datagram that was ignored has left a trace"
    check_reading(stage)


def first_record(stage: Stage, receiver: int, payload: bytes) -> bytes:
    """One record alone: of several, one may be ignored and another kept without a word."""
    return payload[: 13 + int.from_bytes(payload[11:13], "big")] if payload[:1] in RECORD_TYPES else payload


def seal(stage: Stage, receiver: int, payload: bytes) -> bytes:
    """CoAP under the keys of the connection that it belongs to, or in a frame under the joiner's KEK."""
    person, joiner = stage.parties[0], stage.parties[JOINER_INDEX]
    kek = _joiner_of(joiner)._kek
    if payload[:1] == SECURED and kek is not None:
        return SecuredFrame(EUI64, FORGED_SEQUENCE, payload[1:]).seal(kek)
    dtls: DtlsClient = _joiner_of(joiner)._dtls if receiver == JOINER_INDEX else _commissioner_of(person)._link._dtls
    if dtls.keys is None:
        return payload
    record = DtlsRecord(ContentType.APPLICATION_DATA, DTLS_1_2, 1, FORGED_SEQUENCE, payload[: 1 << 14])
    keys = dtls.keys
    secrets = (keys.client_write_key, keys.client_write_iv)
    if receiver != AGENT_INDEX:
        secrets = (keys.server_write_key, keys.server_write_iv)
    return WriteProtection(*secrets).protect(record).encode()


def datagrams() -> Iterator[bytes]:
    """Recorded datagrams of ot-commissioner, OpenThread's Border Agent and its joiner."""
    yield from corpus.octets("thread/commissioner_*", "hex")


def plaintexts() -> Iterator[bytes]:
    """What was in their records, as CoAP and as a secured frame, right and bent."""
    for data in corpus.octets("thread/*", "plaintext"):
        for each in (data, *bent(data)):
            yield each
            yield SECURED + each


def bent(data: bytes) -> Iterator[bytes]:
    """A CoAP message with TLVs missing, doubled, turned round, or one of them empty."""
    try:
        message = CoapMessage.decode(data)
        tlvs = split_tlvs(message.payload, extended=True)
    except DecodeError:
        return
    emptied = ((*tlvs[:place], Tlv(tlvs[place].type, b""), *tlvs[place + 1 :]) for place in range(len(tlvs)))
    for parts in (*rearranged(tlvs), *emptied):
        yield replace(message, payload=join_tlvs(parts, extended=True)).encode()


def relayed() -> Iterator[bytes]:
    """Relay messages, made and recorded."""
    message = RelayMessage(joiner_udp_port=1000, joiner_iid=bytes(8), joiner_router_locator=0x2000, dtls=b"\x16")
    yield from (message.encode_received(), message.encode_transmit())
    yield from corpus.octets("thread/*", "payload_hex")


def discovery_answer() -> list[bytes]:
    """What a Joiner Router says of its network."""
    answer = DiscoveryAnswer(
        ext_pan_id=bytes(8),
        network_name="Home",
        steering_data=SteeringData.any_joiner(),
        joiner_udp_port=1000,
        router_locator=0x2000,
    )
    return [answer.encode()]


def admits(data: bytes) -> bool:
    """Whether a network whose answer this is would let the joiner in."""
    answer = DiscoveryAnswer.decode(data)
    return answer.steering_data.admits(EUI64) or answer.steering_data.admits_any


def explained(data: bytes) -> str:
    """What is said of steering data that may rule a joiner out, and of a timestamp."""
    hint = timestamp_hint(Timestamp.decode(data.ljust(8, b"\0")), Timestamp(1_700_000_000))
    return f"{known_steering_mistake(data[:16], EUI64)}{hint}"


TARGETS = (
    decoder("meshcop-known-mistakes", explained, lambda: [bytes(16), SteeringData.of_joiners([EUI64]).filter]),
    decoder("meshcop-relay", RelayMessage.decode, relayed),
    decoder("meshcop-udp-proxy", ProxiedDatagram.decode, relayed),
    decoder("meshcop-discovery-answer", admits, discovery_answer),
    decoder(
        "meshcop-secured-frame",
        lambda data: SecuredFrame.open(data, KEK),
        lambda: [SecuredFrame(EUI64, 1, b"\x40\x02\0\x01").seal(KEK)],
        errors=(DecodeError, AuthenticationError),
    ),
    *map(
        engine_target,
        (
            Dialogue("meshcop-joining", begin_joining, check_joining, first_record, seeds=datagrams),
            Dialogue(
                "meshcop-joining-sealed", begin_joining, check_joining, seal, leaves_traces=True, seeds=plaintexts
            ),
            Dialogue("meshcop-sharing", begin_sharing, check_sharing, first_record, seeds=datagrams),
        ),
    ),
)

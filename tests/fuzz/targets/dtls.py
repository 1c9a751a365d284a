"""Records, messages and proofs of `pairing.dtls`, and a client and a server at every point of a connection."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from pairing.dtls.alerts import Alert
from pairing.dtls.client import DtlsClient
from pairing.dtls.connection import Connection
from pairing.dtls.events import ApplicationDataReceived, ConnectionClosed, HandshakeCompleted, HandshakeFailed
from pairing.dtls.key_schedule import derive_keys
from pairing.dtls.messages import (
    ClientHello,
    ExtensionType,
    HandshakeFragment,
    HelloVerifyRequest,
    ServerHello,
    decode_client_key_exchange,
    decode_fragments,
    decode_key_pairs,
    decode_server_key_exchange,
    encode_key_pairs,
    encode_server_key_exchange,
)
from pairing.dtls.mistakes import known_finished_mistake, known_record_mistake
from pairing.dtls.record import DTLS_1_2, LARGEST_SEQUENCE, ContentType, DtlsRecord, WriteProtection, decode_records
from pairing.dtls.server import DtlsServer
from pairing.dtls.settings import DtlsSettings
from pairing.dtls.states import DtlsState
from pairing.ecjpake.exchange import EcJpake, EcJpakeRole
from pairing.ecjpake.proof import KeyKp
from pairing.engine import Endpoint, Event, Micros, Outputs
from pairing.errors import DecodeError, LocalProtocolError, RemoteProtocolError
from tests.fuzz import corpus
from tests.fuzz.stage import Dialogue, Party, Stage, engine_target
from tests.fuzz.target import Target, decoder
from tests.support.dtls_pair import AGENT, OTHER_PASSWORD, PASSWORD, PHONE, with_extended_master_secret
from tests.support.recorded_entropy import seeded

NEWCOMER = Endpoint("192.0.2.3", 49201)
FORGED_SEQUENCE = 40
"""Ahead of what the peer has sent, so that it is no replay."""
QUESTION, ANSWER = b"question", b"answer"
CLIENT, SERVER = 0, 1


def datagrams() -> tuple[bytes, ...]:
    """Recorded datagrams of independent stacks."""
    return corpus.octets("thread/dtls_*", "hex")


def records() -> Iterator[DtlsRecord]:
    """Their records."""
    for datagram in datagrams():
        yield from decode_records(datagram)


def handshake_records() -> Iterator[bytes]:
    """The handshake records in clear."""
    for record in records():
        if record.content_type == ContentType.HANDSHAKE and not record.epoch:
            yield record.fragment


def bodies(msg_type: int) -> Iterator[bytes]:
    """The bodies of the messages of one type that came whole."""
    found: dict[bytes, None] = {}
    for record in handshake_records():
        found |= {each.body: None for each in decode_fragments(record) if each.msg_type == msg_type and each.is_whole}
    yield from found


def key_pairs(role: EcJpakeRole) -> Iterator[bytes]:
    """The recorded key pairs of the first round, as clients or servers sent them."""
    for body in bodies(1) if role is EcJpakeRole.CLIENT else bodies(2):
        hello = ClientHello.decode(body) if role is EcJpakeRole.CLIENT else ServerHello.decode(body)
        yield hello.extension(ExtensionType.ECJPAKE_KEY_KP_PAIR) or b""


def played(role: EcJpakeRole, data: bytes) -> tuple[KeyKp, KeyKp]:
    """The first round of a role as the other takes it."""
    pairs = decode_key_pairs(data)
    side = EcJpake(role.other, PASSWORD, seeded(role))
    side.round_one()
    side.read_round_one(*pairs)
    return pairs


def begin(settings: DtlsSettings, passwords: tuple[bytes, bytes]) -> Stage:
    """A client connects, asks, is answered and closes."""
    server = DtlsServer(passwords[SERVER], seeded("server"), settings)

    def answer(event: Event, now: Micros) -> Outputs:
        if not isinstance(event, ApplicationDataReceived) or event.data != QUESTION:
            return ()
        return allowed(lambda: server.send(event.address, ANSWER, now))

    stage = Stage(Party(server, AGENT, owner=answer))
    stage.parties.insert(CLIENT, join(stage, PHONE, passwords[CLIENT], settings))
    return stage


def join(stage: Stage, address: Endpoint, password: bytes, settings: DtlsSettings) -> Party:
    """Another client of the same server."""
    client = DtlsClient(AGENT, password, seeded(address), settings)

    def ask(event: Event, now: Micros) -> Outputs:
        match event:
            case HandshakeCompleted():
                return allowed(lambda: client.send(QUESTION, now))
            case ApplicationDataReceived(data=data) if data == ANSWER:
                return allowed(lambda: client.close(now))
        return ()

    party = Party(client, address, owner=ask)
    stage.parties.append(party)
    stage.do(party, client.start(stage.now))
    stage.parties.remove(party)
    return party


def allowed(intent: Callable[[], Outputs]) -> Outputs:
    """What an intent puts out; nothing where the connection is over."""
    try:
        return intent()
    except LocalProtocolError:
        return ()


def has_answer(party: Party) -> bool:
    """Whether the answer came, and nothing else before it."""
    data = [event.data for event in party.events if isinstance(event, ApplicationDataReceived)]
    return data[:1] == [ANSWER]


def check(settings: DtlsSettings, passwords: tuple[bytes, bytes], stage: Stage, was_ignored: bool) -> None:
    """The client has its answer or the reason; the server has forgotten it, and serves the next client."""
    client, server = stage.parties[:2]
    assert isinstance(client.engine, DtlsClient)
    assert isinstance(server.engine, DtlsServer)
    assert client.engine.state.is_final or client.engine.state is DtlsState.CONNECTED
    assert client.has(HandshakeCompleted, HandshakeFailed)
    if was_ignored and passwords[CLIENT] == passwords[SERVER]:
        assert has_answer(client), "a datagram that was ignored has left a trace"
        assert client.has(ConnectionClosed)
    stage.horizon = stage.now + 300_000_000
    newcomer = join(stage, NEWCOMER, passwords[SERVER], settings)
    stage.parties.append(newcomer)
    stage.play()
    assert has_answer(newcomer), "the server does not serve the next client"


def with_last_numbers(datagram: bytes) -> Iterator[bytes]:
    """The first record of a datagram with the highest numbers that it can bear."""
    try:
        record = decode_records(datagram)[0]
        fragment = decode_fragments(record.fragment)[0]
    except DecodeError:
        return
    for sequence, message_seq in ((LARGEST_SEQUENCE, fragment.message_seq), (record.sequence, 0xFFFF)):
        bent = replace(fragment, message_seq=message_seq).encode()
        yield replace(record, sequence=sequence, fragment=bent).encode()


def first_record(stage: Stage, index: int, payload: bytes) -> bytes:
    """One record alone: of several, one may be ignored and another kept without a word."""
    return payload[: 13 + int.from_bytes(payload[11:13], "big")]


def seal(stage: Stage, index: int, payload: bytes) -> bytes:
    """The octets as a record that the peer might have sent: first its type, then what is under the keys."""
    connection = _connection(stage)
    keys = None if connection is None else connection.keys
    kind, plaintext = payload[:1] or b"\x16", payload[1 : 1 << 14]
    record = DtlsRecord(kind[0], DTLS_1_2, 0 if keys is None else 1, FORGED_SEQUENCE, plaintext)
    if keys is None:
        return record.encode()
    secrets = [(keys.server_write_key, keys.server_write_iv), (keys.client_write_key, keys.client_write_iv)]
    return WriteProtection(*secrets[index]).protect(record).encode()


def _connection(stage: Stage) -> Connection | None:
    """Whichever side has keys already."""
    client, server = (party.engine for party in stage.parties[:2])
    assert isinstance(client, DtlsClient)
    assert isinstance(server, DtlsServer)
    sides = [client, *server.connections.values()]
    return next((each for each in sides if each.keys is not None), None)


def plain_records() -> Iterator[bytes]:
    """What `seal` takes: alerts, a Finished, a change of cipher, data."""
    yield from (b"\x15\x01\x00", b"\x15\x02\x28", b"\x14\x01", b"\x17" + QUESTION, b"\x17" + ANSWER)
    for record in handshake_records():
        yield b"\x16" + record
    yield b"\x16" + HandshakeFragment(20, 12, 3, 0, bytes(12)).encode()


def dialogues() -> Iterator[Dialogue]:
    """With and without the extended master secret and the cookie, small datagrams, a wrong password."""
    right, wrong = (PASSWORD, PASSWORD), (OTHER_PASSWORD, PASSWORD)
    kinds = (
        ("plain", DtlsSettings(), right),
        ("extended", with_extended_master_secret(DtlsSettings(cookie_exchange=False)), right),
        ("small-datagrams", DtlsSettings(mtu=256), right),
        ("wrong-password", DtlsSettings(), wrong),
    )
    for name, settings, passwords in kinds:
        start, end = partial(begin, settings, passwords), partial(check, settings, passwords)
        yield Dialogue(f"dtls-{name}", start, end, first_record, seeds=datagrams, bend=with_last_numbers)
        if name == "plain":
            yield Dialogue(f"dtls-{name}-several", start, end, seeds=datagrams, leaves_traces=True)
            yield Dialogue(f"dtls-{name}-sealed", start, end, seal, seeds=plain_records, leaves_traces=True)


def judged(data: bytes) -> str:
    """What is said of octets as the peer's first protected record, and as its Finished."""
    keys = derive_keys(bytes(32), bytes(32), bytes(32), None)
    record = DtlsRecord(ContentType.HANDSHAKE, DTLS_1_2, 1, 0, data)
    x = EcJpakeRole.CLIENT
    of_record = known_record_mistake(record, keys, bytes(32), bytes(32), is_extended=bool(data[:1]), writer=x)
    return f"{of_record} {known_finished_mistake(data, keys, x, [data, data], [data])}"


def proofs() -> Iterator[Target]:
    """The bodies that hold key pairs, and EC-JPAKE itself."""
    errors = (DecodeError, RemoteProtocolError)
    for role in EcJpakeRole:
        seeds = partial(key_pairs, role)
        yield decoder(f"ecjpake-key-pairs-{role.value}", decode_key_pairs, seeds, encode=encode_key_pairs)
        yield decoder(f"ecjpake-round-one-{role.value}", partial(played, role), seeds, errors=errors)
    yield decoder(
        "dtls-server-key-exchange",
        decode_server_key_exchange,
        lambda: bodies(12),
        encode=encode_server_key_exchange,
    )
    yield decoder("dtls-client-key-exchange", decode_client_key_exchange, lambda: bodies(16), encode=KeyKp.encode)


TARGETS = (
    decoder(
        "dtls-records",
        decode_records,
        datagrams,
        encode=lambda found: b"".join(each.encode() for each in found),
    ),
    decoder(
        "dtls-fragments",
        decode_fragments,
        handshake_records,
        encode=lambda found: b"".join(each.encode() for each in found),
    ),
    decoder("dtls-client-hello", ClientHello.decode, lambda: bodies(1), encode=ClientHello.encode),
    decoder(
        "dtls-hello-verify-request", HelloVerifyRequest.decode, lambda: bodies(3), encode=HelloVerifyRequest.encode
    ),
    decoder("dtls-server-hello", ServerHello.decode, lambda: bodies(2), encode=ServerHello.encode),
    decoder("dtls-alert", Alert.decode, lambda: [b"\x02\x28", b"\x01\x00"], encode=Alert.encode),
    decoder("dtls-known-mistakes", judged, plain_records),
    *proofs(),
    *map(engine_target, dialogues()),
)

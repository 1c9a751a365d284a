"""The Border Agent's resources: what it answers to whom, in which form, and where it is silent."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairing.coap.message import CoapCode, CoapMessage, CoapType, path_options
from pairing.dtls.alerts import AlertDescription
from pairing.dtls.events import AlertReceived, ConnectionClosed, HandshakeFailed
from pairing.dtls.settings import DtlsLies, DtlsSettings
from pairing.engine import MILLISECOND, SECOND, Endpoint, FrameIgnored
from pairing.errors import AuthenticationError, DecodeError
from pairing.thread.border_agent import BorderAgentSettings
from pairing.thread.border_agent_resources import ResourceLies
from pairing.thread.border_agent_states import SESSION, SessionInput, SessionState
from pairing.thread.dataset import Dataset, Timestamp
from pairing.thread.leader import LeaderLies
from pairing.thread.meshcop_events import DatasetSetRefused, LieTold, RequestAnswered
from pairing.thread.network_events import CommissionerLost, PetitionAccepted, PetitionRejected
from pairing.thread.node import commissioner_aloc
from pairing.thread.relay import RelayMessage
from pairing.thread.udp_proxy import TMF_PORT, ProxiedDatagram, locator_address
from tests.support.meshcop import leading_network
from tests.support.meshcop_wire import Wire, last, only
from tests.support.raw_commissioner import ACCEPT, LEADER, REJECT, RawSession
from tests.support.thread_network import DATASET, make_network

EMPTY_ACK = (CoapType.ACK, CoapCode.EMPTY)
RELAYED = RelayMessage(joiner_udp_port=1000, joiner_iid=bytes(8), joiner_router_locator=0xE400, dtls=b"\x16")


def shapes(messages: list[CoapMessage]) -> list[tuple[int, int]]:
    """Type and code of each message."""
    return [(message.message_type, message.code) for message in messages]


def newer(seconds: int = 2) -> bytes:
    return Dataset.of(active_timestamp=Timestamp(seconds)).encode()


def test_petition_and_keep_alive_are_acknowledged_empty_and_answered_in_a_non() -> None:
    session = RawSession(Wire())
    ack, answer = session.ask("c/cp", b"\x0a\x03raw")
    assert shapes([ack, answer]) == [EMPTY_ACK, (CoapType.NON, CoapCode.CHANGED)]
    assert (ack.message_id, ack.token) == (1, b"")
    assert answer.token == b"\x00\x01"
    assert answer.payload[:8] == ACCEPT + b"\x0a\x03raw"
    ack, answer = session.ask("c/ca", ACCEPT + answer.payload[-4:])
    assert shapes([ack, answer]) == [EMPTY_ACK, (CoapType.NON, CoapCode.CHANGED)]
    assert answer.payload == ACCEPT
    events = session.wire.events
    assert last(events, PetitionAccepted).commissioner_id == "raw"
    assert [each.path for each in only(events, RequestAnswered)] == ["c/cp", "c/ca"]
    assert last(events, RequestAnswered).status == "2.04"


def test_reads_are_piggybacked_before_any_petition() -> None:
    session = RawSession(Wire())
    (answer,) = session.ask("c/ag")
    assert (answer.message_type, answer.code, answer.message_id) == (CoapType.ACK, CoapCode.CHANGED, 1)
    assert answer.payload == DATASET.encode()
    assert shapes(session.ask("c/pg")) == [(CoapType.ACK, CoapCode.CHANGED)]
    assert shapes(session.ask("c/cg")) == [(CoapType.ACK, CoapCode.CHANGED)]


def test_method_and_type_of_a_read_do_not_matter() -> None:
    session = RawSession(Wire())
    (by_get,) = session.ask("c/ag", code=CoapCode.GET)
    (by_non,) = session.ask("c/ag", kind=CoapType.NON)
    assert by_get.payload == by_non.payload == DATASET.encode()
    assert by_non.message_type is CoapType.ACK


@pytest.mark.parametrize("path", ["c/as", "c/ps", "c/ar", "c/cs", "c/zz", "c", "", "c/ag/x", "c/jf"])
def test_unknown_paths_and_sets_sent_directly_are_not_found(path: str) -> None:
    session = RawSession(Wire())
    session.petition()
    assert shapes(session.ask(path, newer())) == [(CoapType.ACK, CoapCode.NOT_FOUND)]


@pytest.mark.parametrize("path", ["c/ca", "c/ut", "c/tx"])
def test_who_is_no_commissioner_hears_nothing_at_all(path: str) -> None:
    session = RawSession(Wire())
    datagram = ProxiedDatagram(LEADER, TMF_PORT, TMF_PORT, b"")
    payload = {"c/ca": ACCEPT + b"\x0b\x02\x00\x01", "c/ut": datagram.encode_transmit()}
    assert session.ask(path, payload.get(path, RELAYED.encode_transmit())) == []
    assert last(session.wire.events, FrameIgnored).protocol == "meshcop"
    assert last(session.wire.events, RequestAnswered).status == ""


def test_a_keep_alive_in_a_non_is_an_internal_error() -> None:
    session = RawSession(Wire())
    tlv = session.petition()
    answers = session.ask("c/ca", ACCEPT + tlv, kind=CoapType.NON)
    assert shapes(answers) == [(CoapType.NON, CoapCode.INTERNAL_SERVER_ERROR)]


def test_a_keep_alive_without_state_is_acknowledged_and_no_more() -> None:
    session = RawSession(Wire())
    assert shapes(session.ask("c/ca", session.petition())) == [EMPTY_ACK]


def test_a_repeated_petition_message_is_answered_from_memory() -> None:
    session = RawSession(Wire())
    session.petition()
    assert shapes(session.ask("c/cp", b"\x0a\x03raw", message_id=1)) == [EMPTY_ACK]
    assert len(only(session.wire.events, PetitionAccepted)) == 1


def test_a_ping_is_reset() -> None:
    session = RawSession(Wire())
    ping = CoapMessage(CoapType.CON, CoapCode.EMPTY, 9).encode()
    assert shapes(session.send(ping)) == [(CoapType.RST, CoapCode.EMPTY)]


def test_another_id_is_rejected_with_the_holder_and_stays_connected() -> None:
    wire = Wire()
    first, second = RawSession(wire), RawSession(wire, host="192.0.2.9")
    first.petition("Alpha")
    _, answer = second.ask("c/cp", b"\x0a\x04Beta")
    assert answer.payload == REJECT + b"\x0a\x05Alpha"
    assert last(wire.events, PetitionRejected).holder == "Alpha"
    assert shapes(second.ask("c/ag")) == [(CoapType.ACK, CoapCode.CHANGED)]
    assert len(wire.agent.sessions) == 2


def test_a_superseded_commissioner_is_not_told_and_may_only_read() -> None:
    wire = Wire()
    first, second = RawSession(wire), RawSession(wire, host="192.0.2.9")
    old, new = first.petition("Alpha"), second.petition("Alpha")
    assert int.from_bytes(new[2:], "big") == int.from_bytes(old[2:], "big") + 2
    assert last(wire.events, CommissionerLost).reason == "superseded"
    assert first.ask("c/ag")[0].payload == DATASET.encode()
    assert first.ask_leader("c/as", old + newer())[0].payload == REJECT
    assert last(wire.events, DatasetSetRefused).rule == "session-id-wrong"
    assert first.ask("c/ca", ACCEPT + old)[1].payload == REJECT
    assert second.ask("c/ca", ACCEPT + new)[1].payload == ACCEPT


def test_resigning_is_answered_with_reject_and_frees_the_place() -> None:
    wire = Wire()
    first, second = RawSession(wire), RawSession(wire, host="192.0.2.9")
    tlv = first.petition("Alpha")
    assert first.ask("c/ca", REJECT + tlv)[1].payload == REJECT
    assert last(wire.events, CommissionerLost).reason == "resigned"
    assert first.ask("c/ca", ACCEPT + tlv) == []
    second.petition("Beta")


def test_a_connection_without_keep_alive_ends_after_exactly_fifty_seconds() -> None:
    wire = Wire()
    session = RawSession(wire)
    session.petition()
    (connected,) = [each.ends_at - 50 * SECOND for each in wire.agent.sessions]
    wire.run(connected + 50 * SECOND - MILLISECOND - wire.now)
    assert len(wire.agent.sessions) == 1
    wire.run(2 * MILLISECOND)
    assert wire.agent.sessions == ()
    alert = last(session.client.events, AlertReceived)
    assert alert.alert.description == AlertDescription.CLOSE_NOTIFY
    assert alert.is_encrypted


def test_a_keep_alive_restarts_the_watchdog_and_a_rejected_one_does_not() -> None:
    wire = Wire()
    session = RawSession(wire)
    tlv = session.petition()
    wire.run(30 * SECOND)
    assert session.ask("c/ca", ACCEPT + tlv)[1].payload == ACCEPT
    wire.run(30 * SECOND)
    assert session.ask("c/ca", ACCEPT + b"\x0b\x02\x00\x00")[1].payload == REJECT
    assert len(wire.agent.sessions) == 1
    wire.run(20 * SECOND)
    assert wire.agent.sessions == ()
    assert last(wire.events, CommissionerLost).reason == "timeout"


def test_sets_go_through_the_proxy_and_answers_come_from_where_they_were_asked() -> None:
    wire = Wire()
    session = RawSession(wire)
    tlv = session.petition()
    (answer,) = session.ask_leader("c/as", tlv + newer())
    assert (answer.message_type, answer.code, answer.payload) == (CoapType.ACK, CoapCode.CHANGED, ACCEPT)
    carrier = ProxiedDatagram.decode(session.engine.received[-1].payload)
    assert (carrier.address, carrier.source_port, carrier.destination_port) == (LEADER, TMF_PORT, TMF_PORT)
    own = locator_address(wire.network.mesh_local_prefix, wire.network.rloc16)
    session.ask_leader("c/cg", address=own)
    assert ProxiedDatagram.decode(session.engine.received[-1].payload).address == own


@pytest.mark.parametrize("over", [{"port": 0}, {"port": 5683}, {"address": locator_address(bytes(8), 0x1234)}])
def test_nobody_else_answers_in_the_mesh(over: dict[str, object]) -> None:
    session = RawSession(Wire())
    session.petition()
    if over.get("port") == 0:
        datagram = ProxiedDatagram(LEADER, TMF_PORT, 0, b"")
        assert session.ask("c/ut", datagram.encode_transmit(), kind=CoapType.NON) == []
    else:
        assert session.ask_leader("c/ag", **over) == []
    assert only(session.wire.events, FrameIgnored)


def test_a_repeated_set_inside_the_proxy_is_not_judged_twice() -> None:
    session = RawSession(Wire())
    tlv = session.petition()
    inner = CoapMessage(CoapType.CON, CoapCode.POST, 7, b"\x07", path_options("c/as"), tlv + newer())
    payload = ProxiedDatagram(LEADER, TMF_PORT, TMF_PORT, inner.encode()).encode_transmit()
    for _ in range(2):
        (carrier,) = session.ask("c/ut", payload, kind=CoapType.NON)
        answer = CoapMessage.decode(ProxiedDatagram.decode(carrier.payload).payload)
        assert answer.payload == ACCEPT


def test_the_commissioner_is_told_of_a_change_by_others_until_it_acknowledges() -> None:
    wire = Wire()
    session = RawSession(wire)
    tlv = session.petition()
    session.ask_leader("c/as", tlv + newer(2))
    before = len(session.engine.received)
    wire.run(3 * SECOND)
    assert session.engine.received[before:] == []
    wire.take(wire.agent.change_dataset(wire.now))
    wire.run(3 * SECOND)
    carriers = [ProxiedDatagram.decode(each.payload) for each in session.engine.received[before:]]
    notices = [CoapMessage.decode(carrier.payload) for carrier in carriers]
    assert [(each.path, each.message_type, each.payload) for each in notices] == [("c/dc", CoapType.CON, b"")] * 2
    answer = CoapMessage(CoapType.ACK, CoapCode.CHANGED, notices[0].message_id, notices[0].token)
    back = ProxiedDatagram(carriers[0].address, TMF_PORT, TMF_PORT, answer.encode())
    session.ask("c/ut", back.encode_transmit(), kind=CoapType.NON)
    before = len(session.engine.received)
    wire.run(10 * SECOND)
    assert session.engine.received[before:] == []


def test_the_commissioner_is_not_told_of_the_delay_timer_nor_of_the_operator() -> None:
    # OpenThread tells of neither, and ot-commissioner 0.2.0 answers nothing any more once it was told.
    wire = Wire()
    session = RawSession(wire)
    tlv = session.petition()
    pending = Dataset.of(
        active_timestamp=Timestamp(2), pending_timestamp=Timestamp(1), delay_timer_ms=30_000, network_name="Later"
    )
    assert session.ask_leader("c/ps", tlv + pending.encode())[0].payload == ACCEPT
    before = len(session.engine.received)
    wire.run(40 * SECOND)
    assert wire.network.network_name == "Later"
    current = wire.network.active_dataset
    assert current is not None
    wire.take(wire.network.adopt_active_dataset(current.with_tlvs(Dataset.of(network_name="Operator")), wire.now))
    wire.take(wire.agent.follow(wire.now))
    wire.run(3 * SECOND)
    assert session.engine.received[before:] == []


def test_commissioner_alocs_come_round_after_eight_sessions() -> None:
    assert [commissioner_aloc(number) for number in (0, 7, 8, 0x3109)] == [0xFC30, 0xFC37, 0xFC30, 0xFC31]


def test_a_wrong_pskc_is_answered_with_bad_record_mac_in_clear() -> None:
    wire = Wire()
    session = RawSession(wire, password=b"wrong password!!")
    alert = last(session.client.events, AlertReceived)
    assert (alert.alert.description, alert.is_encrypted) == (AlertDescription.BAD_RECORD_MAC, False)
    assert isinstance(last(wire.events, HandshakeFailed).error, AuthenticationError)
    assert wire.agent.sessions == ()


def test_a_wrong_pskc_may_be_met_with_silence() -> None:
    wire = Wire(settings=BorderAgentSettings(dtls=DtlsSettings(lies=DtlsLies(silent_on_wrong_key=True))))
    session = RawSession(wire, password=b"wrong password!!")
    wire.run(SECOND)
    assert only(session.client.events, AlertReceived) == []
    assert only(session.client.events, HandshakeFailed) == []


def test_nobody_listens_without_partition_or_pskc() -> None:
    for network in (make_network(), leading_network(dataset=DATASET.with_tlvs(Dataset.of(pskc=bytes(16))))):
        wire = Wire(network)
        RawSession(wire)
        assert "nobody listens" in last(wire.events, FrameIgnored).reason
        assert len(wire.sent) == 1


def test_connections_end_when_the_node_is_detached() -> None:
    wire = Wire()
    session = RawSession(wire)
    session.petition()
    wire.take(wire.network.disable(wire.now))
    wire.take(wire.agent.follow(wire.now))
    wire.run(SECOND)
    assert wire.agent.sessions == ()
    assert last(session.client.events, ConnectionClosed).by_peer


def test_a_new_pskc_is_for_connections_to_come() -> None:
    wire = Wire()
    old = RawSession(wire)
    pskc = bytes(range(16))
    changed = DATASET.with_tlvs(Dataset.of(active_timestamp=Timestamp(2), pskc=pskc))
    wire.take(wire.network.adopt_active_dataset(changed, wire.now))
    wire.take(wire.agent.follow(wire.now))
    assert shapes(old.ask("c/ag")) == [(CoapType.ACK, CoapCode.CHANGED)]
    RawSession(wire, password=pskc, host="192.0.2.9")
    assert len(wire.agent.sessions) == 2


def test_a_connection_from_the_same_address_replaces_the_old_one() -> None:
    wire = Wire()
    session = RawSession(wire)
    session.petition()
    (before,) = wire.agent.sessions
    session.engine.dtls = type(session.engine)(before.address, seed=901).dtls
    session.engine.dtls.address = Endpoint("192.0.2.1", 49153)
    wire.do(session.client, session.engine.start)
    wire.run(SECOND)
    (after,) = wire.agent.sessions
    assert after is not before
    assert not after.is_commissioner


def test_keep_alives_can_be_lost() -> None:
    wire = Wire(settings=BorderAgentSettings(lies=ResourceLies(ignore_keep_alives=True)))
    session = RawSession(wire)
    tlv = session.petition()
    assert session.ask("c/ca", ACCEPT + tlv) == []
    assert last(wire.events, LieTold).lie == "ignore-keep-alives"
    wire.run(50 * SECOND)
    assert wire.agent.sessions == ()


def test_a_session_can_be_stolen() -> None:
    wire = Wire(settings=BorderAgentSettings(lies=ResourceLies(steal_session=True)))
    session = RawSession(wire)
    tlv = session.petition()
    assert session.ask("c/ca", ACCEPT + tlv)[1].payload == REJECT
    assert last(wire.events, CommissionerLost).reason == "superseded"
    assert last(wire.events, LieTold).lie == "steal-session"


def test_the_dataset_can_change_under_its_reader() -> None:
    wire = Wire(settings=BorderAgentSettings(lies=ResourceLies(change_dataset=True)))
    session = RawSession(wire)
    session.petition()
    answer, notice = session.ask("c/ag")
    assert answer.payload == DATASET.encode()
    assert notice.path == "c/ur"
    assert session.ask("c/ag")[0].payload != DATASET.encode()


def test_the_leader_can_refuse() -> None:
    lies = LeaderLies(reject_petitions=True)
    session = RawSession(Wire(settings=BorderAgentSettings(leader_lies=lies)))
    assert session.ask("c/cp", b"\x0a\x03raw")[1].payload == REJECT + b"\x0a\x14another commissioner"
    session = RawSession(Wire(settings=BorderAgentSettings(leader_lies=LeaderLies(refuse_pending=True))))
    tlv = session.petition()
    asked = Dataset.of(active_timestamp=Timestamp(2), pending_timestamp=Timestamp(2), delay_timer_ms=30_000)
    assert session.ask_leader("c/ps", tlv + asked.encode())[0].payload == REJECT


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("what", SessionInput)
def test_a_session_moves_by_its_table_alone(state: SessionState, what: SessionInput) -> None:
    wire = Wire()
    RawSession(wire)
    (session,) = wire.agent.sessions
    session.state = state
    session.move(what)
    assert session.state is SESSION.get((state, what), state)
    assert SESSION.get((SessionState.ENDED, what)) is None


@settings(max_examples=30, deadline=None)
@given(
    path=st.sampled_from(["c/cp", "c/ca", "c/ag", "c/pg", "c/cg", "c/ut", "c/tx", "c/xx"]),
    payload=st.binary(max_size=200),
    kind=st.sampled_from([CoapType.CON, CoapType.NON]),
)
def test_any_payload_leaves_the_connection_usable(path: str, payload: bytes, kind: CoapType) -> None:
    session = RawSession(Wire())
    session.petition()
    session.ask(path, payload, kind=kind)
    assert session.ask("c/pg")[0].code == CoapCode.CHANGED


@settings(max_examples=30, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_record_and_any_datagram_is_survived(data: bytes) -> None:
    session = RawSession(Wire())
    session.send(data)
    session.wire.inject(session.client, data)
    session.wire.run(100_000)
    assert session.ask("c/pg")[0].code == CoapCode.CHANGED


def test_secrets_are_not_in_texts() -> None:
    wire = Wire()
    session = RawSession(wire)
    session.petition()
    session.ask("c/ag")
    text = repr(wire.events) + repr(wire.agent.sessions) + repr(wire.agent.settings)
    assert (DATASET.pskc or b"").hex() not in text
    assert (DATASET.network_key or b"").hex() not in text
    assert repr(DATASET.network_key) not in text


@given(data=st.binary(max_size=200))
def test_any_proxied_bytes_are_decode_errors_at_worst(data: bytes) -> None:
    try:
        datagram = ProxiedDatagram.decode(data)
    except DecodeError:
        return
    assert ProxiedDatagram.decode(datagram.encode_transmit()) == datagram
    assert ProxiedDatagram.decode(datagram.encode_received()) == datagram

"""Joining: discovery, DTLS through the relay, JOIN_FIN, JOIN_ENT; with a Commissioner and with the built-in one."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairing.dtls.events import HandshakeFailed
from pairing.engine import SECOND, Endpoint, FrameIgnored, Transmit
from pairing.errors import (
    AuthenticationError,
    DecodeError,
    EncodeError,
    ExchangeTimeoutError,
    LocalProtocolError,
    PeerRejectedError,
)
from pairing.thread.border_agent import JOINER_LINK
from pairing.thread.commissioner import Commissioner, CommissionerSettings
from pairing.thread.dataset import Dataset
from pairing.thread.joiner import Joiner, JoinerDeviations, JoinerSettings, parse_qr_payload, qr_payload
from pairing.thread.joiner_frames import DiscoveryAnswer, SecuredFrame
from pairing.thread.joiner_router import MOST_JOINERS
from pairing.thread.joiner_sessions import JoinerLies, JoinerServerSettings, JoinerSessions, admit
from pairing.thread.joiner_states import ENTRUST, JOINER, JOINER_SESSION, JoinerInput, JoinerSessionState, JoinerState
from pairing.thread.joiner_table import JoinerEntry, JoinerId
from pairing.thread.meshcop_events import (
    JoinerDiscovered,
    JoinerEntrusted,
    JoinFinReceived,
    JoiningFailed,
    LieTold,
)
from pairing.thread.network_events import JoinerConnected, JoinerFinalized
from pairing.thread.relay import RelayMessage
from pairing.thread.steering import SteeringData, joiner_id, joiner_iid
from tests.support.meshcop import PSKC
from tests.support.meshcop_wire import PORTS, Client, Wire, last, only
from tests.support.thread_network import DATASET, counting_entropy

EUI64, OTHER = bytes.fromhex("18b4300000000002"), bytes.fromhex("18b4300000000003")
PSKD = "J01NME"


def commissioned(
    *, admits: JoinerId | None = None, joiners: JoinerServerSettings | None = None
) -> tuple[Wire, Commissioner, Client]:
    """A border router with an active Commissioner that lets a joiner in."""
    wire = Wire()
    engine = Commissioner(
        PORTS[""], PSKC, counting_entropy(7), CommissionerSettings(joiners=joiners or JoinerServerSettings())
    )
    client = wire.add(engine)
    wire.do(client, engine.start)
    wire.run(SECOND)
    wire.do(client, engine.petition)
    wire.run(SECOND)
    joiner = admits or JoinerId(eui64=EUI64)
    wire.do(client, lambda now: engine.enable_joiner(joiner, PSKD, 300 * SECOND, now))
    wire.run(SECOND)
    return wire, engine, client


def join(
    wire: Wire, *, eui64: bytes = EUI64, pskd: str = PSKD, made: JoinerSettings | None = None
) -> tuple[Joiner, Client]:
    """A device begins to join."""
    engine = Joiner(PORTS[JOINER_LINK], eui64, pskd, counting_entropy(len(wire.clients) + 20), made)
    client = wire.add(engine, JOINER_LINK)
    wire.do(client, engine.start)
    return engine, client


def deviating(**deviations: bool) -> JoinerSettings:
    return JoinerSettings(deviations=JoinerDeviations(**deviations))


def test_a_joiner_that_is_expected_gets_the_network() -> None:
    wire, _, commissioner = commissioned()
    made = JoinerSettings(vendor_name="Acme", vendor_model="Lamp", vendor_sw_version="1.2", vendor_data=b"\x01")
    joiner, client = join(wire, made=made)
    wire.run(SECOND)
    assert joiner.state is JoinerState.JOINED
    entrusted = last(client.events, JoinerEntrusted)
    dataset = Dataset.decode(entrusted.tlvs)
    assert dataset == joiner.dataset
    assert (dataset.network_key, dataset.network_name) == (DATASET.network_key, "EmuTestNet")
    assert (dataset.network_key or b"").hex() not in repr(entrusted)
    assert last(wire.events, JoinerDiscovered).admitted
    assert last(wire.events, JoinerEntrusted).joiner == EUI64.hex()
    assert last(commissioner.events, JoinerConnected).joiner == EUI64.hex()
    assert last(commissioner.events, JoinerFinalized).accepted
    fin = last(commissioner.events, JoinFinReceived)
    assert (fin.vendor_name, fin.vendor_model, fin.vendor_sw_version, fin.vendor_data) == (
        "Acme", "Lamp", "1.2", b"\x01",
    )  # fmt: skip


def test_the_built_in_commissioner_lets_joiners_in_as_well() -> None:
    wire = Wire()
    wire.take(wire.network.start_commissioner(0))
    wire.run(SECOND)
    wire.take(wire.network.commissioning.add_joiner(JoinerId(), PSKD, 300 * SECOND, wire.now))
    joiner, _ = join(wire)
    wire.run(SECOND)
    assert joiner.state is JoinerState.JOINED
    (entry,) = wire.network.commissioning.joiners
    assert str(entry.progress) == "joined"
    assert last(wire.events, JoinerFinalized).accepted


def test_several_joiners_at_once() -> None:
    wire, _, _ = commissioned(admits=JoinerId())
    joiners = [join(wire, eui64=bytes([number]) * 8)[0] for number in range(5)]
    wire.run(2 * SECOND)
    assert {joiner.state for joiner in joiners} == {JoinerState.JOINED}


def test_steering_data_keep_strangers_away() -> None:
    wire, _, _ = commissioned()
    joiner, client = join(wire, eui64=OTHER)
    wire.run(SECOND)
    assert joiner.state is JoinerState.FAILED
    assert isinstance(last(client.events, JoiningFailed).error, PeerRejectedError)
    assert not last(wire.events, JoinerDiscovered).admitted
    stubborn, client = join(wire, eui64=OTHER, made=deviating(ignore_steering=True))
    wire.run(130 * SECOND)
    assert last(client.events, LieTold).lie == "ignore-steering"
    assert stubborn.state is JoinerState.FAILED


def test_a_wrong_pskd_fails_on_both_sides() -> None:
    wire, _, commissioner = commissioned()
    joiner, client = join(wire, pskd="J01NMF")
    wire.run(2 * SECOND)
    assert joiner.state is JoinerState.FAILED
    assert isinstance(last(client.events, JoiningFailed).error, AuthenticationError)
    assert isinstance(last(commissioner.events, HandshakeFailed).error, AuthenticationError)
    assert only(wire.events, JoinerEntrusted) == []


def test_a_rejected_joiner_stops_and_is_not_entrusted() -> None:
    wire, _, commissioner = commissioned(joiners=JoinerServerSettings(provisioning_url="https://example.com"))
    joiner, client = join(wire)
    wire.run(2 * SECOND)
    assert joiner.state is JoinerState.FAILED
    assert last(commissioner.events, JoinerFinalized).accepted is False
    assert "rejected" in str(last(client.events, JoiningFailed).error)
    again, _ = join(wire, made=JoinerSettings(provisioning_url="https://example.com"))
    wire.run(2 * SECOND)
    assert again.state is JoinerState.JOINED


def test_who_ignores_the_reject_joins_only_where_the_kek_goes_out_all_the_same() -> None:
    lies = JoinerLies(reject_joiners=True)
    wire, _, commissioner = commissioned(joiners=JoinerServerSettings(lies=lies))
    strict, _ = join(wire, made=deviating(ignore_reject=True))
    wire.run(6 * SECOND)
    assert strict.state is JoinerState.FAILED
    assert last(commissioner.events, LieTold).lie == "reject-joiners"
    wire, _, _ = commissioned(joiners=JoinerServerSettings(lies=replace(lies, kek_on_reject=True)))
    loose, client = join(wire, made=deviating(ignore_reject=True))
    wire.run(6 * SECOND)
    assert loose.state is JoinerState.JOINED
    assert last(client.events, LieTold).lie == "ignore-reject"


def test_join_fin_has_to_say_who_made_the_device() -> None:
    wire, _, commissioner = commissioned()
    silent, _ = join(wire, made=deviating(no_join_fin=True))
    wire.run(70 * SECOND)
    assert silent.state is JoinerState.FAILED
    assert only(commissioner.events, JoinFinReceived) == []


def test_no_router_means_no_network() -> None:
    wire = Wire(lost=range(50))
    joiner, client = join(wire)
    wire.run(10 * SECOND)
    assert joiner.state is JoinerState.FAILED
    assert isinstance(last(client.events, JoiningFailed).error, ExchangeTimeoutError)


def test_without_a_commissioner_datagrams_end_at_the_router() -> None:
    wire = Wire()
    joiner, _ = join(wire, made=deviating(ignore_steering=True))
    wire.run(SECOND)
    assert joiner.state is JoinerState.CONNECTING
    assert "no Commissioner is active" in last(wire.events, FrameIgnored).reason


def test_the_router_knows_only_who_has_registered_and_not_too_many() -> None:
    wire, _, _ = commissioned()
    router = wire.agent.joiner_router
    stranger = Endpoint("192.0.2.66", 1, JOINER_LINK)
    (ignored,) = wire.agent.receive(b"\x16\xfe\xfd" + bytes(20), stranger, wire.now)
    assert isinstance(ignored, FrameIgnored)
    for number in range(3 * MOST_JOINERS):
        address = Endpoint("192.0.2.66", number + 1, JOINER_LINK)
        outputs = wire.agent.receive(number.to_bytes(8, "big"), address, wire.now + number)
        assert isinstance(outputs[-1], Transmit)
    assert len(router.joiners) == MOST_JOINERS
    wire.agent.receive(EUI64, Endpoint("192.0.2.66", 1, JOINER_LINK), wire.now)
    wire.agent.receive(EUI64, Endpoint("192.0.2.66", 2, JOINER_LINK), wire.now)
    assert router.joiners.count(EUI64) == 1
    wire.run(130 * SECOND)
    assert router.joiners == ()


def test_half_open_joiners_leave_nothing_at_the_commissioner() -> None:
    sessions = JoinerSessions(counting_entropy(1))
    entry = JoinerEntry(joiner=JoinerId(), expires_at=10**9, pskd=PSKD)
    for number in range(200):
        joiner = Joiner("router", number.to_bytes(8, "big"), PSKD, counting_entropy(number))
        (hello,) = joiner.connect(0)
        assert isinstance(hello, Transmit)
        iid = joiner_iid(joiner.identifier)
        message = RelayMessage(joiner_udp_port=1, joiner_iid=iid, joiner_router_locator=0, dtls=hello.payload)
        outputs = sessions.receive(message, [entry], number)
        assert any(isinstance(output, Transmit) for output in outputs)
    assert sessions.states == {}
    assert sessions.deadline is None


def test_a_joiner_that_falls_silent_is_given_up_by_the_commissioner() -> None:
    wire, engine, _ = commissioned()
    _, client = join(wire, made=deviating(no_join_fin=True))
    wire.run(SECOND)
    client.plugged = False
    assert list(engine.joiner_states.values()) == [JoinerSessionState.CONNECTED]
    wire.run(70 * SECOND)
    assert engine.joiner_states == {}


@pytest.mark.parametrize("number", range(34))
def test_each_lost_datagram_of_a_joining_is_made_up_for_or_fails_it(number: int) -> None:
    probe, *_ = commissioned()
    wire, _, _ = commissioned()
    wire.lost = {len(probe.sent) + number}
    joiner, client = join(wire)
    wire.run(150 * SECOND)
    assert joiner.state.is_final
    if joiner.state is JoinerState.JOINED:
        assert joiner.dataset is not None
        assert joiner.dataset.network_key == DATASET.network_key
        assert only(wire.events, JoinerEntrusted) or only(wire.events, JoiningFailed)
    else:
        assert only(client.events, JoiningFailed)


@pytest.mark.parametrize("state", JoinerState)
def test_intents_out_of_turn_raise_and_change_nothing(state: JoinerState) -> None:
    for what, name in ((JoinerInput.DISCOVER, "start"), (JoinerInput.CONNECT, "connect")):
        joiner = Joiner("router", EUI64, PSKD, counting_entropy())
        joiner.state = state
        if (state, what) not in JOINER:
            with pytest.raises(LocalProtocolError):
                getattr(joiner, name)(0)
            assert joiner.state is state


@pytest.mark.parametrize("state", JoinerState)
@given(payload=st.binary(max_size=80))
@settings(max_examples=20, deadline=None)
def test_no_datagram_in_any_state_gets_past_its_rule(state: JoinerState, payload: bytes) -> None:
    joiner = Joiner("router", EUI64, PSKD, counting_entropy())
    joiner.state = state
    joiner.receive(payload, "router", 0)
    (ignored,) = joiner.receive(payload, "elsewhere", 0)
    assert isinstance(ignored, FrameIgnored)
    assert joiner.state is state or (state, joiner.state) == (JoinerState.DISCOVERING, JoinerState.CONNECTING)
    assert joiner.dataset is None


def test_final_states_of_joining_are_final() -> None:
    assert [pair for pair in JOINER if pair[0].is_final] == []
    assert [pair for pair in JOINER_SESSION if pair[0] is JoinerSessionState.ENDED] == []
    assert len(ENTRUST) == 5


def test_a_bad_pskd_is_our_own_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        Joiner("router", EUI64, "J01NMO", counting_entropy())
    with pytest.raises(EncodeError):
        Joiner("router", EUI64, PSKD, counting_entropy(), JoinerSettings(vendor_name="x" * 255))


def test_the_closest_entry_admits() -> None:
    identifier = joiner_id(EUI64)
    low = int.from_bytes(identifier, "big") & 0xFFF
    ids = [
        JoinerId(),
        JoinerId(discerner=low, discerner_bits=12),
        JoinerId(discerner=low ^ 1, discerner_bits=12),
        JoinerId(eui64=EUI64),
        JoinerId(eui64=OTHER),
    ]
    entries = [JoinerEntry(joiner=each, expires_at=0, pskd=PSKD) for each in ids]
    assert admit(entries, identifier) is entries[3]
    assert admit(entries[:3], identifier) is entries[1]
    assert admit(entries[:1], identifier) is entries[0]
    assert admit(entries[2:3] + entries[4:], identifier) is None


def test_labels_read_back() -> None:
    assert qr_payload(EUI64, PSKD) == "v=1&&eui=18b4300000000002&&cc=J01NME"
    assert parse_qr_payload(qr_payload(EUI64, PSKD)) == (EUI64, PSKD)
    assert parse_qr_payload("v=1&&eui=18B4300000000002&&cc=J01NME&&vn=Acme") == (EUI64, PSKD)
    for bad in (
        "",
        "v=2&&eui=18b4300000000002&&cc=J01NME",
        "v=1&&eui=18b43&&cc=J01NME",
        "v=1&&eui=18b4300000000002&&cc=I",
    ):
        with pytest.raises(DecodeError):
            parse_qr_payload(bad)


@given(source=st.binary(min_size=8, max_size=8), counter=st.integers(0, 0xFFFFFFFF), payload=st.binary(max_size=100))
def test_secured_frames_round_trip_under_their_kek_alone(source: bytes, counter: int, payload: bytes) -> None:
    frame = SecuredFrame(source, counter, payload)
    sealed = frame.seal(bytes(16))
    assert SecuredFrame.open(sealed, bytes(16)) == frame
    with pytest.raises(AuthenticationError):
        SecuredFrame.open(sealed, b"\x01" * 16)
    with pytest.raises((AuthenticationError, DecodeError)):
        SecuredFrame.open(sealed[:-1], bytes(16))


@given(st.binary(max_size=200))
def test_any_bytes_are_decode_errors_at_worst(data: bytes) -> None:
    for decode in (DiscoveryAnswer.decode, RelayMessage.decode):
        try:
            decoded = decode(data)
        except DecodeError:
            continue
        if isinstance(decoded, RelayMessage):
            assert RelayMessage.decode(decoded.encode_transmit()) == decoded


def test_discovery_answers_round_trip() -> None:
    answer = DiscoveryAnswer(
        ext_pan_id=bytes(8),
        network_name="Näme",
        steering_data=SteeringData(b"\xff"),
        joiner_udp_port=1000,
        router_locator=0xE400,
    )
    assert DiscoveryAnswer.decode(answer.encode()) == answer

"""The Commissioner against our Border Agent: petition, keep-alive, datasets, notices, lies, lost datagrams."""

import random

import pytest

from pairing.dtls.events import ConnectionClosed, HandshakeFailed
from pairing.engine import SECOND
from pairing.errors import AuthenticationError, EncodeError, ExchangeTimeoutError, LocalProtocolError
from pairing.thread.border_agent import BorderAgentSettings
from pairing.thread.border_agent_resources import ResourceLies
from pairing.thread.commissioner import Commissioner, CommissionerLies, CommissionerSettings
from pairing.thread.commissioner_states import COMMISSIONER_TABLE, CommissionerClientState, CommissionerInput
from pairing.thread.dataset import Dataset, Timestamp
from pairing.thread.joiner_table import JoinerId
from pairing.thread.leader import LeaderLies
from pairing.thread.management import ManagementPolicy
from pairing.thread.meshcop_events import (
    CommissionerDatasetReceived,
    DatasetChangeNotified,
    DatasetReceived,
    KeepAliveAnswered,
    LieTold,
    RequestFailed,
    SetAnswered,
)
from pairing.thread.network_events import (
    CommissionerLost,
    JoinerEnabled,
    JoinerRemoved,
    PetitionAccepted,
    PetitionRejected,
)
from pairing.thread.tlvs import Tlv
from tests.support.meshcop import PSKC
from tests.support.meshcop_wire import PORTS, Client, Wire, last, only
from tests.support.thread_network import DATASET, counting_entropy

State = CommissionerClientState
RENAME = Dataset.of(active_timestamp=Timestamp(2), network_name="Renamed").tlvs
LATER = Dataset.of(
    active_timestamp=Timestamp(3), pending_timestamp=Timestamp(3), delay_timer_ms=60_000, network_name="Later"
).tlvs
EUI64 = bytes.fromhex("18b4300000000002")


def connected(
    wire: Wire, *, name: str = "phone", password: bytes = PSKC, lies: CommissionerLies | None = None
) -> tuple[Commissioner, Client]:
    """A Commissioner that has connected, or failed to."""
    settings = CommissionerSettings(commissioner_id=name, lies=lies or CommissionerLies())
    engine = Commissioner(PORTS[""], password, counting_entropy(len(wire.clients) + 90), settings)
    client = wire.add(engine)
    wire.do(client, engine.start)
    wire.run(SECOND)
    return engine, client


def active(wire: Wire, *, name: str = "phone", lies: CommissionerLies | None = None) -> tuple[Commissioner, Client]:
    """An active Commissioner."""
    engine, client = connected(wire, name=name, lies=lies)
    wire.do(client, engine.petition)
    wire.run(SECOND)
    assert engine.state is State.ACTIVE
    return engine, client


def test_a_whole_session() -> None:
    wire = Wire()
    engine, client = active(wire)
    accepted = last(client.events, PetitionAccepted)
    assert (accepted.commissioner_id, accepted.session_id) == ("phone", wire.network.commissioning.session_counter)
    for intent in (engine.get_active, engine.get_pending, engine.get_commissioner):
        wire.do(client, intent)
    wire.run(SECOND)
    datasets = {each.kind: each.tlvs for each in only(client.events, DatasetReceived)}
    assert datasets == {"active": DATASET.encode(), "pending": b""}
    assert last(client.events, CommissionerDatasetReceived).border_agent_locator == wire.network.rloc16
    wire.do(client, lambda now: engine.set_active(RENAME, now))
    wire.do(client, lambda now: engine.set_pending(LATER, now))
    wire.run(SECOND)
    assert [(each.request, each.accepted) for each in only(client.events, SetAnswered)] == [
        ("MGMT_ACTIVE_SET", True),
        ("MGMT_PENDING_SET", True),
    ]
    assert wire.network.network_name == "Renamed"
    wire.run(70 * SECOND)
    assert wire.network.network_name == "Later"
    assert only(client.events, DatasetChangeNotified) == []
    wire.do(client, engine.resign)
    wire.run(SECOND)
    assert last(client.events, CommissionerLost).reason == "resigned"
    assert engine.state is State.CONNECTED
    wire.do(client, engine.close)
    wire.run(SECOND)
    assert engine.state is State.CLOSED
    assert wire.agent.sessions == ()
    assert engine.is_idle


def test_keep_alives_hold_the_session_for_as_long_as_it_likes() -> None:
    wire = Wire()
    engine, client = active(wire)
    wire.run(600 * SECOND)
    assert engine.state is State.ACTIVE
    assert len(only(client.events, KeepAliveAnswered)) == 15
    assert len(wire.agent.sessions) == 1


def test_a_silent_commissioner_is_dropped_after_fifty_seconds() -> None:
    wire = Wire()
    engine, client = active(wire, lies=CommissionerLies(no_keep_alive=True))
    wire.run(60 * SECOND)
    assert last(client.events, LieTold).lie == "no-keep-alive"
    assert last(wire.events, CommissionerLost).reason == "timeout"
    assert last(client.events, CommissionerLost).reason == "disconnected"
    assert engine.state is State.CLOSED


def test_another_commissioner_is_rejected_with_the_holder() -> None:
    wire = Wire()
    active(wire, name="Alpha")
    engine, client = connected(wire, name="Beta")
    wire.do(client, engine.petition)
    wire.run(SECOND)
    assert last(client.events, PetitionRejected).holder == "Alpha"
    assert engine.state is State.CONNECTED
    wire.do(client, engine.get_active)
    wire.run(SECOND)
    assert last(client.events, DatasetReceived).tlvs == DATASET.encode()


def test_a_superseded_commissioner_learns_it_at_its_next_keep_alive() -> None:
    wire = Wire()
    old, client = active(wire, name="Alpha")
    active(wire, name="Alpha")
    assert old.state is State.ACTIVE
    wire.run(45 * SECOND)
    assert last(client.events, KeepAliveAnswered).accepted is False
    assert last(client.events, CommissionerLost).reason == "superseded"
    assert old.state is State.CONNECTED


def test_a_wrong_pskc_is_an_authentication_error() -> None:
    wire = Wire()
    engine, client = connected(wire, password=b"wrong password!!")
    assert engine.state is State.FAILED
    assert isinstance(last(client.events, HandshakeFailed).error, AuthenticationError)
    with pytest.raises(LocalProtocolError):
        engine.petition(wire.now)


def test_a_border_agent_that_is_not_there_is_given_up() -> None:
    wire = Wire(lost=range(100))
    engine, client = connected(wire)
    wire.run(120 * SECOND)
    assert engine.state is State.FAILED
    assert isinstance(last(client.events, HandshakeFailed).error, ExchangeTimeoutError)


def test_the_leader_says_no_to_an_old_timestamp() -> None:
    wire = Wire()
    engine, client = active(wire)
    old = Dataset.of(active_timestamp=Timestamp(1)).tlvs
    wire.do(client, lambda now: engine.set_active(old, now))
    wire.run(SECOND)
    assert last(client.events, SetAnswered) == SetAnswered(
        request="MGMT_ACTIVE_SET", accepted=False, peer="192.0.2.1:49153"
    )


def test_requests_to_the_leader_wait_for_the_mesh_local_prefix_and_keep_their_order() -> None:
    wire = Wire()
    engine, client = active(wire)
    wire.do(client, lambda now: engine.set_active(RENAME, now))
    wire.do(client, engine.get_commissioner)
    assert not engine.is_idle
    wire.run(SECOND)
    answers = [event for event in client.events if isinstance(event, SetAnswered | CommissionerDatasetReceived)]
    assert [type(each) for each in answers] == [SetAnswered, CommissionerDatasetReceived]
    assert only(client.events, DatasetReceived) == []


def test_a_network_without_mesh_local_prefix_has_no_leader_to_ask() -> None:
    wire = Wire()
    engine, client = active(wire)
    wire.take(wire.network.adopt_active_dataset(DATASET.without(7), wire.now))
    wire.do(client, engine.get_commissioner)
    wire.run(SECOND)
    failed = last(client.events, RequestFailed)
    assert failed.path == "c/cg"
    assert "mesh-local prefix" in str(failed.error)


def test_without_session_id_a_set_wrecks_only_a_leader_that_allows_it() -> None:
    lies = CommissionerLies(no_session_id=True)
    wire = Wire()
    engine, client = active(wire, lies=lies)
    wire.do(client, lambda now: engine.set_active(RENAME, now))
    wire.run(SECOND)
    assert last(client.events, SetAnswered).accepted is False
    wire = Wire(settings=BorderAgentSettings(management=ManagementPolicy(without_session=True)))
    engine, client = active(wire, lies=lies)
    wire.do(client, lambda now: engine.set_active(RENAME, now))
    wire.run(SECOND)
    assert last(client.events, SetAnswered).accepted
    assert last(client.events, DatasetChangeNotified)
    left = wire.network.active_dataset
    assert left is not None
    assert left.tlvs == RENAME


def test_lies_of_the_border_agent_reach_the_commissioner_as_what_they_look_like() -> None:
    wire = Wire(settings=BorderAgentSettings(lies=ResourceLies(ignore_keep_alives=True)))
    _, client = active(wire)
    wire.run(60 * SECOND)
    assert last(client.events, CommissionerLost).reason == "disconnected"
    wire = Wire(settings=BorderAgentSettings(lies=ResourceLies(steal_session=True)))
    _, client = active(wire)
    wire.run(45 * SECOND)
    assert last(client.events, CommissionerLost).reason == "superseded"
    wire = Wire(settings=BorderAgentSettings(leader_lies=LeaderLies(refuse_pending=True)))
    engine, client = active(wire)
    wire.do(client, lambda now: engine.set_pending(LATER, now))
    wire.run(SECOND)
    assert last(client.events, SetAnswered).accepted is False


def test_enabling_a_joiner_steers_and_disabling_it_steers_back() -> None:
    wire = Wire()
    engine, client = active(wire)
    joiner = JoinerId(eui64=EUI64)
    wire.do(client, lambda now: engine.enable_joiner(joiner, "J01NME", 60 * SECOND, now))
    wire.run(SECOND)
    assert last(client.events, JoinerEnabled).joiner == EUI64.hex()
    assert wire.agent.leader.steering_data.filter.hex() == "00000000000000000000000000000012"
    wire.do(client, lambda now: engine.enable_joiner(JoinerId(), "J02NME", 60 * SECOND, now))
    wire.run(SECOND)
    assert wire.agent.leader.steering_data.admits_any
    for each in (joiner, JoinerId()):
        wire.do(client, lambda now, each=each: engine.disable_joiner(each, now))  # type: ignore[misc]
    wire.run(SECOND)
    assert wire.agent.leader.steering_data.admits_none
    with pytest.raises(EncodeError):
        engine.enable_joiner(joiner, "short", SECOND, wire.now)


def test_expired_joiners_leave_the_table() -> None:
    wire = Wire()
    engine, client = active(wire)
    wire.do(client, lambda now: engine.enable_joiner(JoinerId(eui64=EUI64), "J01NME", 10 * SECOND, now))
    wire.run(11 * SECOND)
    assert last(client.events, JoinerRemoved).reason == "expired"
    assert len(engine.joiners) == 0


def test_the_end_of_the_connection_fails_what_was_asked() -> None:
    wire = Wire()
    engine, client = active(wire)
    wire.do(client, engine.get_active)
    wire.do(client, engine.close)
    assert last(client.events, RequestFailed).path == "c/ag"
    assert last(client.events, CommissionerLost).reason == "closed"
    assert engine.is_idle
    wire.run(SECOND)
    assert last(wire.events, ConnectionClosed).by_peer


@pytest.mark.parametrize("state", CommissionerClientState)
def test_an_intent_that_the_state_does_not_allow_raises_and_changes_nothing(state: CommissionerClientState) -> None:
    intents = {
        CommissionerInput.START: lambda engine: engine.start(0),
        CommissionerInput.PETITION: lambda engine: engine.petition(0),
        CommissionerInput.RESIGN: lambda engine: engine.resign(0),
        CommissionerInput.CLOSE: lambda engine: engine.close(0),
    }
    for what, intent in intents.items():
        engine = Commissioner(PORTS[""], PSKC, counting_entropy(5))
        engine.state = state
        if (state, what) not in COMMISSIONER_TABLE:
            with pytest.raises(LocalProtocolError):
                intent(engine)
            assert engine.state is state
    if state is not State.ACTIVE:
        engine = Commissioner(PORTS[""], PSKC, counting_entropy(5))
        engine.state = state
        for refused in (
            lambda: engine.get_commissioner(0),
            lambda: engine.set_active(RENAME, 0),
            lambda: engine.keep_alive(0),
            lambda: engine.enable_joiner(JoinerId(), "J01NME", SECOND, 0),
            lambda: engine.disable_joiner(JoinerId(), 0),
        ):
            with pytest.raises(LocalProtocolError):
                refused()


def test_final_states_are_final() -> None:
    assert [pair for pair in COMMISSIONER_TABLE if pair[0].is_final] == []


@pytest.mark.parametrize("number", range(40))
def test_each_lost_datagram_ends_in_agreement_or_in_a_failure_on_both_ends(number: int) -> None:
    wire = Wire(lost={number})
    engine, client = connected(wire)
    wire.run(20 * SECOND)
    assert engine.state is State.CONNECTED
    for intent in (engine.petition, engine.get_active, lambda now: engine.set_active(RENAME, now), engine.resign):
        if intent == engine.resign and engine.state is not State.ACTIVE:
            break
        try:
            wire.do(client, intent)
        except LocalProtocolError:
            break
        wire.run(5 * SECOND)
    wire.run(60 * SECOND)
    wire.run(5 * SECOND)
    renamed = wire.network.network_name == "Renamed"
    answered = [each.accepted for each in only(client.events, SetAnswered)]
    assert renamed == (answered == [True])
    assert answered in ([], [True])
    assert wire.network.commissioning.active is None
    assert engine.state in (State.CLOSED, State.CONNECTED)
    if not only(client.events, CommissionerLost):
        assert only(client.events, RequestFailed)


def test_a_lost_answer_to_a_keep_alive_does_not_lose_the_session() -> None:
    for number in range(18, 40):
        wire = Wire(lost={number})
        engine, client = active(wire)
        wire.run(400 * SECOND)
        assert engine.state is State.ACTIVE, number
        assert only(client.events, CommissionerLost) == []


def test_a_foreign_datagram_is_ignored() -> None:
    wire = Wire()
    engine, client = active(wire)
    for payload in (b"", b"\x17", bytes(40), b"\x16\xfe\xfd" + bytes(30)):
        wire.inject(client, payload, to_client=True)
    wire.run(SECOND)
    wire.do(client, lambda now: engine.ask_border_agent("c/zz", Tlv(1, b"").encode(), now))
    wire.run(SECOND)
    failed = last(client.events, RequestFailed)
    assert "4.04" in str(failed.error)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_whatever_is_lost_both_ends_agree_or_both_know_that_they_do_not(block: int) -> None:
    for seed in range(250 * block, 250 * (block + 1)):
        chance = random.Random(seed)
        wire = Wire(lost={number for number in range(400) if chance.random() < 0.15}, seed=seed)
        engine, client = connected(wire)
        while engine.state is State.CONNECTING:
            wire.run(SECOND)
        for intent in (
            engine.petition,
            lambda now, e=engine: e.set_active(RENAME, now),
            engine.get_active,
            engine.resign,
        ):  # type: ignore[misc]
            try:
                wire.do(client, intent)
            except LocalProtocolError:
                break  # it is not active: nobody agreed to anything
            wire.run(8 * SECOND)
        wire.run(400 * SECOND)
        renamed = wire.network.network_name == "Renamed"
        answered = [each.accepted for each in only(client.events, SetAnswered)]
        failed = [each.path for each in only(client.events, RequestFailed)]
        assert answered == [True] if renamed and "c/as" not in failed else answered in ([], [renamed]), seed
        assert wire.agent.sessions == (), seed
        assert wire.network.commissioning.active is None, seed
        assert engine.is_idle, seed


@pytest.mark.parametrize(("first", "drawn"), [(None, [2, 2]), (1, [])])
def test_message_ids_of_a_session_are_drawn_unless_given(first: int | None, drawn: list[int]) -> None:
    # With the id of an earlier session, from the same locator, OpenThread's Leader repeated what it answered then.
    lengths: list[int] = []
    entropy = counting_entropy(5)

    def counted(length: int) -> bytes:
        lengths.append(length)
        return entropy(length)

    Commissioner(PORTS[""], PSKC, counted, CommissionerSettings(first_message_id=first))
    assert [length for length in lengths if length == 2] == drawn

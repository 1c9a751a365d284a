"""Commissioning at the Network model: petitions, the built-in commissioner, its joiners."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import SECOND
from pairing.errors import DecodeError, EncodeError, LocalProtocolError
from pairing.thread.commissioning import CommissionerState
from pairing.thread.joiner_table import JoinerId, JoinerProgress, is_valid_pskd
from pairing.thread.network import Network
from pairing.thread.network_events import (
    CommissionerLost,
    JoinerEnabled,
    JoinerRemoved,
    PetitionAccepted,
    PetitionRejected,
)
from tests.support.thread_network import make_network, names, run_until

START = 10 * SECOND
ANY = JoinerId()
EUI = JoinerId(eui64=bytes.fromhex("0011223344556677"))


def leader() -> Network:
    network = make_network()
    network.enable(0)
    run_until(network, 7 * SECOND)
    return network


def commissioner() -> Network:
    network = leader()
    network.start_commissioner(START)
    assert network.commissioning.state is CommissionerState.PETITIONING
    run_until(network, START + SECOND)
    assert str(network.commissioning.state) == "active"
    return network


def test_petition_gets_the_next_session_id_and_dies_after_50_silent_seconds() -> None:
    network = leader()
    counter = network.commissioning.session_counter
    (accepted,) = network.petition("phone", START)
    assert accepted == PetitionAccepted(commissioner_id="phone", session_id=counter + 1)
    assert network.commissioning.keep_alive(counter + 1, START + 40 * SECOND)
    assert not network.commissioning.keep_alive(counter + 2, START + 60 * SECOND)
    assert network.handle_timeout(START + 90 * SECOND - 1) == []
    (lost,) = network.handle_timeout(START + 90 * SECOND)
    assert lost == CommissionerLost(commissioner_id="phone", session_id=counter + 1, reason="timeout")
    assert network.commissioning.session_counter == counter + 2


def test_another_id_is_rejected_with_the_holder_and_the_same_id_takes_over_two_further() -> None:
    network = leader()
    (first,) = network.petition("phone", START)
    assert isinstance(first, PetitionAccepted)
    (rejected,) = network.petition("tablet", START)
    assert rejected == PetitionRejected(
        commissioner_id="tablet", holder="phone", reason="another commissioner is active"
    )
    lost, again = network.petition("phone", START + SECOND)
    assert isinstance(lost, CommissionerLost)
    assert isinstance(again, PetitionAccepted)
    assert (lost.reason, again.session_id) == ("superseded", first.session_id + 2)


def test_petitions_need_an_id_and_a_partition() -> None:
    assert names(leader().petition("", START)) == ["PetitionRejected"]
    assert names(make_network().petition("phone", START)) == ["PetitionRejected"]


def test_a_long_commissioner_id_is_cut_to_64_bytes() -> None:
    network = leader()
    network.petition("é" * 40, START)
    active = network.commissioning.active
    assert active is not None
    assert active.commissioner_id == "é" * 32


def test_resigning_needs_the_right_session() -> None:
    network = leader()
    (accepted,) = network.petition("phone", START)
    assert isinstance(accepted, PetitionAccepted)
    assert network.commissioning.resign(accepted.session_id + 1, START) == ()
    (lost,) = network.commissioning.resign(accepted.session_id, START)
    assert isinstance(lost, CommissionerLost)
    assert lost.reason == "resigned"


def test_built_in_commissioner_needs_a_partition_and_starts_once() -> None:
    with pytest.raises(LocalProtocolError):
        make_network().start_commissioner(0)
    network = commissioner()
    assert network.start_commissioner(START + 2 * SECOND) == ()
    assert network.commissioning.state is CommissionerState.ACTIVE


def test_built_in_commissioner_gives_way_to_one_that_is_active() -> None:
    network = leader()
    network.petition("phone", START)
    network.start_commissioner(START)
    assert [type(event).__name__ for event in run_until(network, START + SECOND)] == ["PetitionRejected"]
    assert network.commissioning.state is CommissionerState.DISABLED


def test_stopping_the_commissioner_empties_its_table() -> None:
    network = commissioner()
    network.commissioning.add_joiner(ANY, "J01NME", 60 * SECOND, START + SECOND)
    assert names(network.commissioning.stop(START + 2 * SECOND)) == ["JoinerRemoved", "CommissionerLost"]
    assert network.commissioning.stop(START + 2 * SECOND) == ()


def test_being_disabled_ends_the_commissioner() -> None:
    network = commissioner()
    assert names(network.disable(START + 2 * SECOND)) == ["CommissionerLost", "RoleChanged"]
    assert network.commissioning.state is CommissionerState.DISABLED


def test_joiners_need_an_active_commissioner() -> None:
    network = leader()
    with pytest.raises(LocalProtocolError):
        network.commissioning.add_joiner(ANY, "J01NME", 60 * SECOND, START)
    with pytest.raises(LocalProtocolError):
        network.commissioning.remove_joiner(ANY, START)


def test_joiners_expire() -> None:
    network = commissioner()
    (enabled,) = network.commissioning.add_joiner(EUI, "J01NME", 60 * SECOND, START + SECOND)
    assert enabled == JoinerEnabled(joiner="0011223344556677", timeout=60 * SECOND, pskd="J01NME")
    assert "J01NME" not in repr(enabled) + repr(network.commissioning.joiners)
    assert run_until(network, START + 61 * SECOND) == [JoinerRemoved(joiner="0011223344556677", reason="expired")]
    assert network.commissioning.joiners == ()


def test_the_table_has_four_places_and_a_known_joiner_keeps_its_own() -> None:
    table = commissioner().commissioning
    for number in range(4):
        table.add_joiner(JoinerId(eui64=bytes([number] * 8)), "J01NME", 60 * SECOND, START + SECOND)
    assert not table.has_place_for(ANY)
    with pytest.raises(LocalProtocolError):
        table.add_joiner(ANY, "J01NME", 60 * SECOND, START + SECOND)
    assert table.has_place_for(JoinerId(eui64=bytes(8)))
    table.add_joiner(JoinerId(eui64=bytes(8)), "J02NME", 90 * SECOND, START + SECOND)
    assert len(table.joiners) == 4


def test_progress_of_a_joiner_is_seen_in_its_entry() -> None:
    table = commissioner().commissioning
    table.add_joiner(EUI, "J01NME", 60 * SECOND, START + SECOND)
    assert names(table.joiner_connected(EUI, START + 2 * SECOND)) == ["JoinerConnected"]
    entry = table.joiner(EUI)
    assert entry is not None
    assert entry.progress is JoinerProgress.ATTEMPTED
    assert names(table.joiner_finalized(EUI, START + 3 * SECOND)) == ["JoinerFinalized"]


@pytest.mark.parametrize("pskd", ["J01NM", "J01NMO", "J01NMI", "J01NMQ", "J01NMZ", "j01nme", "J" * 33, "", "J01NME\n"])
def test_bad_pskds_are_refused(pskd: str) -> None:
    assert not is_valid_pskd(pskd)
    with pytest.raises(EncodeError):
        commissioner().commissioning.add_joiner(ANY, pskd, SECOND, START + SECOND)


@pytest.mark.parametrize(
    ("text", "joiner"),
    [
        ("*", ANY),
        ("0011223344556677", EUI),
        ("0xabc/12", JoinerId(discerner=0xABC, discerner_bits=12)),
        ("abc/12", JoinerId(discerner=0xABC, discerner_bits=12)),
    ],
)
def test_joiner_ids_parse(text: str, joiner: JoinerId) -> None:
    assert JoinerId.parse(text) == joiner
    assert JoinerId.parse(str(joiner)) == joiner


@given(st.text())
def test_any_text_is_a_joiner_id_or_a_decode_error(text: str) -> None:
    try:
        joiner = JoinerId.parse(text)
    except DecodeError:
        return
    assert JoinerId.parse(str(joiner)) == joiner


@pytest.mark.parametrize(
    "text", ["", "**", "00112233", "0xabc/11", "0xabc/0", "0xabc/65", "0x/4", "/", "zz/8", "0x1/8/8"]
)
def test_bad_joiner_ids_are_decode_errors(text: str) -> None:
    with pytest.raises(DecodeError):
        JoinerId.parse(text)

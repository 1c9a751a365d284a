"""The Leader's judgement: who may change what, with which State, and what is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import MILLISECOND, SECOND
from pairing.thread.dataset import Dataset, Timestamp
from pairing.thread.joiner_table import JoinerId
from pairing.thread.leader import Leader, LeaderLies
from pairing.thread.management import ManagementPolicy
from pairing.thread.meshcop_events import CommandReceived, CommissionerDatasetChanged, DatasetSetRefused, LieTold
from pairing.thread.network_events import CommissionerLost, DatasetChanged, PetitionAccepted, PetitionRejected
from pairing.thread.steering import SteeringData, joiner_id
from pairing.thread.tlvs import MeshCopTlvType, Tlv, join_tlvs, split_tlvs
from tests.support.meshcop import leading_network
from tests.support.thread_network import DATASET, names, run_until

_T = MeshCopTlvType
ACCEPT, REJECT = bytes.fromhex("100101"), bytes.fromhex("1001ff")
PATHS = ("c/ag", "c/pg", "c/cg", "c/as", "c/ps", "c/ar", "c/cs", "c/ab", "c/pq", "c/es", "d/dg", "c/zz", "")
KEY = bytes(range(16))


def led(*, lies: LeaderLies | None = None, without_session: bool = False) -> tuple[Leader, bytes]:
    """A Leader with an active Commissioner, and the TLV with its session id."""
    leader = Leader(leading_network(), ManagementPolicy(without_session=without_session), lies)
    (accepted,) = leader.network.petition("phone", 0)
    assert isinstance(accepted, PetitionAccepted)
    return leader, b"\x0b\x02" + accepted.session_id.to_bytes(2, "big")


def active(seconds: int, **fields: object) -> bytes:
    """An Active Timestamp and what changes."""
    return Dataset.of(active_timestamp=Timestamp(seconds), **fields).encode()  # type: ignore[arg-type]


def pending(seconds: int, delay_ms: int | None = None, **fields: object) -> bytes:
    """Both timestamps alike, a delay, and what changes."""
    return Dataset.of(
        active_timestamp=Timestamp(seconds),
        pending_timestamp=Timestamp(seconds),
        delay_timer_ms=delay_ms,
        **fields,  # type: ignore[arg-type]
    ).encode()


def rule(leader: Leader, path: str, payload: bytes) -> str:
    """The rule by which a request is refused; it changes nothing."""
    before = (leader.network.active_dataset, leader.network.pending_dataset(SECOND))
    answer = leader.respond(path, payload, SECOND)
    assert (answer.code, answer.payload) == (0x44, REJECT)
    assert (leader.network.active_dataset, leader.network.pending_dataset(SECOND)) == before
    (refused,) = answer.outputs
    assert isinstance(refused, DatasetSetRefused)
    assert refused.expected
    assert refused.came
    return refused.rule


def test_an_active_set_is_merged_and_its_tlvs_go_to_the_end() -> None:
    leader, session = led()
    answer = leader.respond("c/as", session + active(2, network_name="Renamed"), SECOND)
    assert answer.payload == ACCEPT
    (changed,) = answer.outputs
    assert isinstance(changed, DatasetChanged)
    assert (changed.kind, changed.cause, changed.network_name) == ("active", "commissioner", "Renamed")
    stored = leader.network.active_dataset
    assert stored is not None
    assert [tlv.type for tlv in stored.tlvs][-2:] == [14, 3]
    assert stored.network_key == DATASET.network_key
    assert 11 not in stored


def test_what_affects_connectivity_needs_a_pending_dataset() -> None:
    leader, session = led()
    assert rule(leader, "c/as", session + active(2, network_key=KEY)) == "affects-connectivity"
    assert rule(leader, "c/as", session + active(2, pan_id=1)) == "affects-connectivity"
    assert rule(leader, "c/as", session + active(2, mesh_local_prefix=bytes.fromhex("fd00000000000001"))) == (
        "affects-connectivity"
    )
    assert leader.respond("c/as", session + active(2, pan_id=DATASET.pan_id), SECOND).payload == ACCEPT


@pytest.mark.parametrize(
    ("path", "payload", "expected"),
    [
        ("c/as", b"", "session-id-missing"),
        ("c/as", b"\x0b\x01\x00", "session-id-invalid"),
        ("c/as", b"\x0b\x02\xff\xff", "session-id-wrong"),
    ],
)
def test_a_set_without_the_right_session_is_refused(path: str, payload: bytes, expected: str) -> None:
    leader, _ = led()
    assert rule(leader, path, payload + active(2)) == expected


def test_timestamps_have_to_be_newer() -> None:
    leader, session = led()
    assert rule(leader, "c/as", session + active(1)) == "active-timestamp-not-newer"
    assert rule(leader, "c/as", session + b"\x03\x01a") == "active-timestamp-missing"
    assert rule(leader, "c/ps", session + active(2)) == "pending-timestamp-missing"
    assert leader.respond("c/ps", session + pending(5, 30_000), SECOND).payload == ACCEPT
    assert rule(leader, "c/ps", session + pending(5, 30_000)) == "pending-timestamp-not-newer"
    assert rule(leader, "c/ps", session + pending(4, 30_000)) == "pending-timestamp-not-newer"


def test_a_set_without_session_id_wrecks_the_network_only_where_that_is_allowed() -> None:
    careful, _ = led()
    assert rule(careful, "c/as", active(2, network_name="abc")) == "session-id-missing"
    leader, _ = led(without_session=True)
    answer = leader.respond("c/as", active(2, network_name="abc"), SECOND)
    assert answer.payload == ACCEPT
    (changed,) = answer.outputs
    assert isinstance(changed, DatasetChanged)
    assert changed.cause == "device"
    assert leader.network.active_dataset == Dataset.of(active_timestamp=Timestamp(2), network_name="abc")


def test_replace_needs_a_whole_dataset_and_keeps_nothing_else() -> None:
    leader, session = led()
    assert rule(leader, "c/ar", session + active(2, network_name="abc")) == "dataset-incomplete"
    whole = DATASET.with_tlvs(Dataset.of(active_timestamp=Timestamp(2), network_name="abc"))
    assert leader.respond("c/ar", session + whole.encode(), SECOND).payload == ACCEPT
    assert leader.network.active_dataset == whole


def test_a_dataset_that_would_grow_too_long_is_refused() -> None:
    leader, session = led()
    assert rule(leader, "c/as", session + active(2) + b"\xf0\xc8" + bytes(200)) == "too-long"


@pytest.mark.parametrize(
    ("delay_ms", "fields", "stored_ms"),
    [
        (1000, {}, 30_000),
        (60_000, {}, 60_000),
        (60_000, {"network_key": KEY}, 300_000),
        (400_000, {"network_key": KEY}, 400_000),
        (80 * 3_600_000, {}, 72 * 3_600_000),
    ],
)
def test_the_delay_is_kept_within_its_bounds(delay_ms: int, fields: dict[str, bytes], stored_ms: int) -> None:
    leader, session = led()
    assert leader.respond("c/ps", session + pending(2, delay_ms, **fields), SECOND).payload == ACCEPT
    stored = leader.network.pending_dataset(SECOND)
    assert stored is not None
    assert stored.delay_timer_ms == stored_ms


def test_a_pending_dataset_runs_to_activation() -> None:
    leader, session = led()
    leader.respond("c/ps", session + pending(2, 30_000, network_name="Later"), SECOND)
    left = leader.network.pending_dataset(11 * SECOND)
    assert left is not None
    assert left.delay_timer_ms == 20_000
    # The Commissioner keeps alive, so that only the delay timer fires.
    run_until(leader.network, 31 * SECOND - MILLISECOND)
    assert leader.network.network_name == "EmuTestNet"
    assert "DatasetChanged" in names(run_until(leader.network, 31 * SECOND))
    assert leader.network.network_name == "Later"
    assert leader.network.pending_dataset(31 * SECOND) is None
    active_now = leader.network.active_dataset
    assert active_now is not None
    assert 51 not in active_now
    assert 52 not in active_now


def test_the_network_key_is_withheld_from_the_proxy_where_the_o_bit_is_zero() -> None:
    leader, session = led()
    assert 5 in Dataset.decode(leader.respond("c/ag", b"", SECOND).payload)
    leader.respond("c/as", session + active(2) + bytes.fromhex("0c0402a077f8"), SECOND)
    assert 5 not in Dataset.decode(leader.respond("c/ag", b"", SECOND).payload)
    assert 5 not in Dataset.decode(leader.respond("c/ag", b"\x0d\x02\x05\x03", SECOND).payload)
    assert 5 in Dataset.decode(leader.dataset("active", b"", SECOND))


def test_reads_filter_and_a_pending_read_adds_the_delay() -> None:
    leader, session = led()
    assert [tlv.type for tlv in split_tlvs(leader.dataset("active", b"\x0d\x03\x03\x0e\xee", 0))] == [14, 3]
    assert leader.dataset("active", b"\x0d\x00", 0) == DATASET.encode()
    assert leader.dataset("pending", b"", 0) == b""
    leader.respond("c/ps", session + pending(2, 60_000), SECOND)
    assert {tlv.type for tlv in split_tlvs(leader.dataset("pending", b"\x0d\x01\x33", SECOND))} == {51, 52}


def test_commissioner_dataset_is_born_with_the_session_and_dies_with_it() -> None:
    leader = Leader(leading_network())
    counter = leader.network.commissioning.session_counter
    assert leader.commissioner_dataset() == b"\x0b\x02" + counter.to_bytes(2, "big")
    leader.network.petition("phone", 0)
    assert [tlv.type for tlv in split_tlvs(leader.commissioner_dataset())] == [9, 11, 8]
    assert leader.steering_data.admits_none
    leader.network.commissioning.resign(counter + 1, SECOND)
    assert leader.commissioner_dataset() == b"\x0b\x02" + (counter + 2).to_bytes(2, "big")


def test_commissioner_set_replaces_the_whole_dataset() -> None:
    leader, session = led()
    answer = leader.respond("c/cs", session + b"\x08\x01\xff\x12\x02\x03\xe8", SECOND)
    assert answer.payload == ACCEPT
    assert answer.outputs == (CommissionerDatasetChanged(steering_data=b"\xff", joiner_udp_port=1000),)
    assert leader.steering_data.admits_any
    asked = leader.commissioner_dataset(b"\x0d\x04\x0b\x09\x08\x12")
    assert [tlv.type for tlv in split_tlvs(asked)] == [11, 9, 8, 18]
    leader.respond("c/cs", session, SECOND)
    assert leader.steering_data.admits_none


def test_a_takeover_forgets_the_steering_data() -> None:
    leader, session = led()
    leader.respond("c/cs", session + b"\x08\x01\xff", SECOND)
    leader.network.petition("phone", SECOND)
    assert leader.steering_data.admits_none
    assert rule(leader, "c/cs", session + b"\x08\x01\xff") == "session-id-wrong"


def test_the_built_in_commissioner_steers_by_its_table() -> None:
    leader = Leader(leading_network())
    leader.network.start_commissioner(0)
    run_until(leader.network, SECOND)
    assert leader.steering_data.admits_none
    eui64 = bytes.fromhex("18b4300000000002")
    leader.network.commissioning.add_joiner(JoinerId(eui64=eui64), "J01NME", 60 * SECOND, SECOND)
    assert leader.steering_data == SteeringData.of_joiners([joiner_id(eui64)])
    leader.network.commissioning.add_joiner(JoinerId(), "J01NME", 60 * SECOND, SECOND)
    assert leader.steering_data.admits_any


def test_petition_answers_as_recorded() -> None:
    leader = Leader(leading_network())
    counter = leader.network.commissioning.session_counter
    answer = leader.petition(b"\x0a\x05Alpha", 0)
    assert answer.payload == ACCEPT + b"\x0a\x05Alpha\x0b\x02" + (counter + 1).to_bytes(2, "big")
    assert leader.petition(b"\x0a\x04Beta", 0).payload == REJECT + b"\x0a\x05Alpha"
    assert leader.petition(b"", 0).payload == REJECT
    assert leader.petition(b"\x0a\x05Alpha", 0).payload[-2:] == (counter + 3).to_bytes(2, "big")
    assert leader.petition(b"\x0a\x46" + b"x" * 70, 0).payload == REJECT + b"\x0a\x05Alpha"


def test_a_long_commissioner_id_is_cut_and_accepted() -> None:
    answer = Leader(leading_network()).petition(b"\x0a\x46" + b"x" * 70, 0)
    assert answer.payload[:5] == ACCEPT + b"\x0a\x40"


def test_keep_alive_resign_and_silence() -> None:
    leader, session = led()
    assert leader.keep_alive(ACCEPT + session, SECOND).payload == ACCEPT
    assert leader.keep_alive(ACCEPT + b"\x0b\x02\x00\x00", SECOND).payload == REJECT
    assert leader.keep_alive(session, SECOND).code is None
    assert leader.keep_alive(ACCEPT, SECOND).code is None
    assert leader.keep_alive(REJECT + b"\x0b\x02\x00\x00", SECOND).outputs == ()
    resigned = leader.keep_alive(REJECT + session, SECOND)
    assert resigned.payload == REJECT
    (lost,) = resigned.outputs
    assert isinstance(lost, CommissionerLost)
    assert lost.reason == "resigned"


def test_commands_are_answered_empty() -> None:
    leader, session = led()
    announce = session + bytes.fromhex("3506000400180000360101370200c8")
    answer = leader.respond("c/ab", announce, SECOND, peer="phone")
    assert (answer.code, answer.payload) == (0x44, b"")
    assert answer.outputs == (CommandReceived(path="c/ab", peer="phone"),)
    assert leader.respond("c/zz", b"", SECOND).code == 0x84


def test_the_leader_lies_on_request() -> None:
    leader, session = led(lies=LeaderLies(reject_petitions=True, refuse_pending=True, holder="ghost"))
    answer = leader.petition(b"\x0a\x05phone", SECOND)
    assert answer.payload == REJECT + b"\x0a\x05ghost"
    assert [type(output) for output in answer.outputs] == [LieTold, PetitionRejected]
    refused = leader.respond("c/ps", session + pending(2, 30_000), SECOND)
    assert refused.payload == REJECT
    assert refused.outputs == (LieTold(lie="refuse-pending"),)


@given(path=st.sampled_from(PATHS), payload=st.binary(max_size=300), with_session=st.booleans())
def test_any_payload_gets_an_answer_and_leaves_a_sound_network(path: str, payload: bytes, with_session: bool) -> None:
    leader, session = led(without_session=True)
    answer = leader.respond(path, session + payload if with_session else payload, SECOND)
    assert answer.code in (0x44, 0x80, 0x84) or (answer.code is None and path == "d/dg")
    stored = leader.network.active_dataset
    assert stored is not None
    assert Dataset.decode(stored.encode()) == stored
    split_tlvs(leader.commissioner_dataset())
    leader.petition(payload, SECOND)
    leader.keep_alive(payload, SECOND)


@given(value=st.binary(max_size=40), tlv_type=st.sampled_from([3, 5, 7, 0, 1, 12, 14, 51, 52, 53, 240]))
def test_a_set_of_any_one_value_is_stored_whole_or_not_at_all(value: bytes, tlv_type: int) -> None:
    leader, session = led()
    asked = join_tlvs([*split_tlvs(session), *split_tlvs(pending(9, 30_000)), Tlv(tlv_type, value)])
    answer = leader.respond("c/ps", asked, SECOND)
    stored = leader.network.pending_dataset(SECOND)
    assert (answer.payload == ACCEPT) == (stored is not None)
    if stored is not None and tlv_type not in (14, 51, 52):
        assert stored.value(tlv_type) == value

"""The Network model: roles, datasets, delay timer, identity, and what it says of itself."""

import json

import pytest

from pairing.engine import SECOND
from pairing.errors import DecodeError, EncodeError, LocalProtocolError
from pairing.thread.dataset import Channel, Dataset, Timestamp
from pairing.thread.diagnostics import ThreadChild
from pairing.thread.network import Network
from pairing.thread.network_events import (
    ChildAttached,
    DatasetChanged,
    IdentityChanged,
    PartitionChanged,
    RoleChanged,
)
from pairing.thread.network_view import NetworkView
from pairing.thread.node import ROLE_TABLE, LeaderData, NetworkConfig, Role, RoleInput
from pairing.thread.partition import Partition
from tests.support.thread_network import DATASET, counting_entropy, make_network, names, run_until

PENDING = DATASET.with_tlvs(
    Dataset.of(
        active_timestamp=Timestamp(2),
        channel=Channel(0, 20),
        network_name="Moved",
        pending_timestamp=Timestamp(9),
        delay_timer_ms=60_000,
    )
)


def leader(**kwargs: object) -> Network:
    network = make_network(**kwargs)  # type: ignore[arg-type]
    network.enable(0)
    run_until(network, 7 * SECOND)
    assert network.role is Role.LEADER
    return network


def in_role(role: Role) -> Network:
    network = make_network()
    if role is Role.DISABLED:
        return network
    network.enable(0)
    if role is Role.LEADER:
        network.lead(1)
    elif role is not Role.DETACHED:
        network.merge(Partition(LeaderData(77, 64, 1, 1, 9)), 1, role=role)
    assert network.role is role
    return network


def drive(network: Network, by: RoleInput) -> None:
    partition: Partition[NetworkView] = Partition(LeaderData(5, 64, 1, 1, 3))
    intents = {
        RoleInput.ENABLE: lambda: network.enable(2),
        RoleInput.DISABLE: lambda: network.disable(2),
        RoleInput.LEAD: lambda: network.lead(2),
        RoleInput.JOIN_AS_ROUTER: lambda: network.merge(partition, 2, role=Role.ROUTER),
        RoleInput.JOIN_AS_CHILD: lambda: network.merge(partition, 2, role=Role.CHILD),
        RoleInput.LOSE: lambda: network.lose_partition(2),
    }
    intents[by]()


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("by", list(RoleInput))
def test_every_move_is_in_the_table_or_refused_without_effect(role: Role, by: RoleInput) -> None:
    network = in_role(role)
    before = (network.role, network.leader_data, network.rloc16, network.deadline)
    if (role, by) in ROLE_TABLE:
        drive(network, by)
        assert network.role is ROLE_TABLE[role, by]
    else:
        with pytest.raises(LocalProtocolError):
            drive(network, by)
        assert (network.role, network.leader_data, network.rloc16, network.deadline) == before


def test_enabling_with_a_dataset_is_detached_first_and_leader_seven_seconds_later() -> None:
    network = make_network()
    (enabled,) = network.enable(1000)
    assert enabled == RoleChanged(role="detached", was="disabled")
    assert network.handle_timeout(7 * SECOND + 999) == []
    (became,) = network.handle_timeout(7 * SECOND + 1000)
    assert isinstance(became, RoleChanged)
    assert (became.role, became.was, became.partition_id) == ("leader", "detached", network.partition_id)
    assert became.rloc16 == network.rloc16 == network.router_id << 10  # type: ignore[operator]
    assert network.router_count == 1
    assert network.leader_data.leader_router_id == network.router_id
    assert network.deadline is None


def test_enabling_without_a_dataset_stays_detached() -> None:
    network = make_network(dataset=None)
    network.enable(0)
    assert (network.role, network.deadline, network.rloc16) == (Role.DETACHED, None, 0xFFFE)


def test_enabling_an_enabled_node_attaches_afresh() -> None:
    network = leader()
    partition, rloc16 = network.partition_id, network.rloc16
    assert names(network.enable(20 * SECOND)) == ["RoleChanged"]
    assert (network.role, network.partition_id) == (Role.DETACHED, None)
    run_until(network, 27 * SECOND)
    assert network.role is Role.LEADER
    assert network.partition_id != partition
    assert network.rloc16 == rloc16, "a router keeps its id"


def test_attach_time_is_configured() -> None:
    network = make_network(config=NetworkConfig(attach=SECOND // 5))
    network.enable(0)
    assert network.deadline == SECOND // 5


def test_split_keeps_the_role_and_changes_the_partition() -> None:
    network = leader()
    before = network.partition_id
    (changed,) = network.split(8 * SECOND)
    assert changed == PartitionChanged(partition_id=network.partition_id, was=before)  # type: ignore[arg-type]
    assert network.partition_id != before


def test_merging_into_another_partition_makes_a_router_of_a_leader() -> None:
    network = leader()
    other: Partition[NetworkView] = Partition(LeaderData(1234, 64, 1, 2, 40))
    assert names(network.merge(other, 8 * SECOND)) == ["RoleChanged", "PartitionChanged"]
    assert (network.role, network.partition_id, network.router_count) == (Role.ROUTER, 1234, 2)


def test_losing_the_partition_attaches_again() -> None:
    network = leader()
    network.lose_partition(8 * SECOND)
    assert network.role is Role.DETACHED
    run_until(network, 15 * SECOND)
    assert str(network.role) == "leader"


def test_active_dataset_is_writable_only_while_disabled() -> None:
    network = make_network(dataset=None)
    (changed,) = network.set_active_dataset(DATASET, 0)
    assert isinstance(changed, DatasetChanged)
    assert (changed.kind, changed.cause, changed.network_name) == ("active", "operator", "EmuTestNet")
    assert (changed.channel, changed.seconds, changed.tlvs) == (15, 1, DATASET.encode())
    assert "c0ffee" not in repr(changed)
    network.enable(0)
    for dataset in (DATASET, None):
        with pytest.raises(LocalProtocolError):
            network.set_active_dataset(dataset, 1)
    assert network.active_dataset == DATASET


def test_a_dataset_that_openthread_refuses_is_not_stored() -> None:
    network = make_network()
    with pytest.raises(EncodeError, match=r"(?i)channel"):
        network.set_active_dataset(DATASET.with_tlvs(Dataset.of(channel=Channel(0, 99))), 0)
    with pytest.raises(EncodeError):
        network.set_pending_dataset(PENDING.with_tlvs(Dataset.of(channel=Channel(0, 5))), 0)
    assert network.active_dataset == DATASET
    assert network.pending_dataset(0) is None


def test_names_and_prefixes_have_defaults_before_any_dataset() -> None:
    network = make_network(dataset=None)
    assert network.network_name == "OpenThread"
    assert network.ext_pan_id.hex() == "dead00beef00cafe"
    network.set_active_dataset(DATASET, 0)
    assert (network.network_name, network.ext_pan_id.hex()) == ("EmuTestNet", "1122334455667788")
    assert network.rloc_address(0xC800).hex() == "fd11223344556600000000fffe00c800"


def test_the_delay_timer_counts_down_in_its_place_and_then_swaps_the_datasets() -> None:
    network = leader()
    network.set_pending_dataset(PENDING, 10 * SECOND)
    half = network.pending_dataset(40 * SECOND)
    assert half is not None
    assert half.delay_timer_ms == 30_000
    assert [tlv.type for tlv in half.tlvs] == [tlv.type for tlv in PENDING.tlvs]
    assert network.deadline == 70 * SECOND
    gone, came = network.handle_timeout(70 * SECOND)
    assert gone == DatasetChanged(kind="pending", cause="delay-timer")
    assert isinstance(came, DatasetChanged)
    assert (came.kind, came.cause, came.network_name, came.channel, came.seconds) == (
        "active",
        "delay-timer",
        "Moved",
        20,
        2,
    )
    assert network.pending_dataset(71 * SECOND) is None
    active = network.active_dataset
    assert active is not None
    assert (active.pending_timestamp, active.delay_timer_ms) == (None, None)
    assert network.role is Role.LEADER


def test_a_pending_dataset_lets_an_enabled_node_without_network_attach() -> None:
    network = make_network(dataset=None)
    network.enable(0)
    network.set_pending_dataset(PENDING, 0)
    run_until(network, 67 * SECOND)
    assert network.role is Role.LEADER


def test_what_is_due_together_happens_in_order_of_its_time() -> None:
    network = make_network(dataset=None)
    network.enable(0)
    network.set_pending_dataset(PENDING, 0)
    outputs = network.handle_timeout(600 * SECOND)
    assert names(outputs) == ["DatasetChanged", "DatasetChanged", "RoleChanged"]


def test_a_pending_dataset_without_delay_waits_for_ever_and_can_be_deleted() -> None:
    network = leader()
    network.set_pending_dataset(PENDING.without(52), 10 * SECOND)
    assert network.deadline is None
    assert network.pending_dataset(99 * SECOND) == PENDING.without(52)
    network.set_pending_dataset(None, 99 * SECOND)
    assert network.pending_dataset(99 * SECOND) is None


def test_a_delay_beyond_72_hours_is_cut() -> None:
    network = leader()
    network.set_pending_dataset(PENDING.with_tlvs(Dataset.of(delay_timer_ms=0xFFFFFFFF)), 10 * SECOND)
    assert network.deadline == (72 * 3600 + 10) * SECOND


def test_factory_reset_erases_everything_and_draws_a_new_identity() -> None:
    network = leader()
    network.set_pending_dataset(PENDING, 8 * SECOND)
    network.activate_ephemeral_key(5000, 8 * SECOND)
    network.start_commissioner(8 * SECOND)
    network.handle_timeout(9 * SECOND)
    old = network.identity
    outputs = network.factory_reset(10 * SECOND)
    assert names(outputs) == [
        "CommissionerLost",
        "RoleChanged",
        "EphemeralKeyDeactivated",
        "DatasetChanged",
        "DatasetChanged",
        "IdentityChanged",
    ]
    changed = outputs[-1]
    assert isinstance(changed, IdentityChanged)
    assert changed.was_border_agent_id == old.border_agent_id != network.border_agent_id
    assert changed.was_ext_address == old.ext_address != network.ext_address
    assert (network.role, network.active_dataset, network.pending_dataset(0)) == (Role.DISABLED, None, None)
    assert (network.rloc16, network.router_count, network.deadline) == (0xFFFE, 0, None)


def test_extended_addresses_are_local_and_not_of_a_group() -> None:
    firsts = [make_network(seed=seed).ext_address[0] for seed in range(32)]
    assert all(first & 3 == 2 for first in firsts)


@pytest.mark.parametrize(
    ("state", "bitmap"),
    [
        ("factory fresh", "00001820"),
        ("enabled without dataset", "00001828"),
        ("dataset, disabled", "00001820"),
        ("attaching", "00001828"),
        ("leader, BBR off", "00001e31"),
        ("leader, BBR on", "00001fb1"),
        ("leader, ePSKc off, BBR off", "00001631"),
    ],
)
def test_state_bitmap_is_what_an_agent_shows(state: str, bitmap: str) -> None:
    network = make_network(dataset=None if state in ("factory fresh", "enabled without dataset") else DATASET)
    if state not in ("factory fresh", "dataset, disabled"):
        network.enable(0)
    if state.startswith("leader"):
        network.handle_timeout(7 * SECOND)
        network.set_backbone_router("BBR on" in state, 8 * SECOND)
        network.switch_ephemeral_key("ePSKc off" not in state, 8 * SECOND)
    assert network.state_bitmap.encode().hex() == bitmap


def test_children_get_ids_and_addresses_below_their_router() -> None:
    network = leader()
    one = ThreadChild(ext_address=b"\x02" * 8, mesh_local_iid=bytes(8))
    two = ThreadChild(ext_address=b"\x06" * 8, mesh_local_iid=bytes(8))
    (attached,) = network.attach_child(one, 9 * SECOND)
    assert attached == ChildAttached(ext_address=b"\x02" * 8, rloc16=network.rloc16 + 1)
    network.attach_child(two, 9 * SECOND)
    network.attach_child(one, 10 * SECOND)
    assert [child.child_id for child in network.children] == [1, 2]
    assert names(network.detach_child(one.ext_address, 11 * SECOND)) == ["ChildDetached"]
    assert network.detach_child(one.ext_address, 11 * SECOND) == ()


def test_counters_count_roles_and_can_be_reset() -> None:
    network = leader()
    network.split(8 * SECOND)
    counters = network.mle_counters
    assert (counters.detached_role, counters.leader_role, counters.attach_attempts) == (1, 1, 1)
    assert counters.partition_id_changes == 1
    network.reset_counters(9 * SECOND, mac=False, mle=True)
    assert network.mle_counters.leader_role == 0


def test_state_survives_json_and_a_restart() -> None:
    network = leader()
    network.set_pending_dataset(PENDING, 10 * SECOND)
    network.set_backbone_router(False, 10 * SECOND)
    stored = json.loads(json.dumps(network.to_state(30 * SECOND)))
    back = Network.from_state(stored, network.config, counting_entropy(99), 1_000_000 * SECOND)
    assert back.identity == network.identity
    assert back.active_dataset == DATASET
    assert back.role is Role.DETACHED
    assert back.rloc16 == network.rloc16
    assert back.backbone_router is False
    pending = back.pending_dataset(1_000_000 * SECOND)
    assert pending is not None
    assert pending.delay_timer_ms == 40_000
    run_until(back, 1_000_040 * SECOND)
    assert str(back.role) == "leader"
    assert back.network_name == "Moved"


@pytest.mark.parametrize("member", ["border_agent_id", "rloc16", "enabled", "active_dataset", "pending_left_us"])
def test_a_damaged_state_is_one_named_error(member: str) -> None:
    network = leader()
    network.set_pending_dataset(PENDING, 10 * SECOND)
    stored = {**network.to_state(11 * SECOND), member: ["?"]}
    with pytest.raises(DecodeError):
        Network.from_state(stored, network.config, counting_entropy(), 0)


def test_same_entropy_same_node() -> None:
    first, second = make_network(seed=3), make_network(seed=3)
    assert first.to_state(0) == second.to_state(0)
    assert first.to_state(0) != make_network(seed=4).to_state(0)

"""Partitions: router ids, ranks, members, and the register of Commissioners that they share."""

import pytest

from pairing.engine import SECOND
from pairing.errors import LocalProtocolError
from pairing.thread.dataset import Channel, Dataset
from pairing.thread.dataset_sync import agreement, is_behind, lacks_pending
from pairing.thread.fields import Timestamp
from pairing.thread.joiner_table import JoinerId
from pairing.thread.leader import Leader
from pairing.thread.network import Network
from pairing.thread.network_events import (
    CommissionerLost,
    PartitionChanged,
    PetitionAccepted,
    PetitionRejected,
    RoleChanged,
)
from pairing.thread.network_view import NetworkView
from pairing.thread.node import LeaderData, Role
from pairing.thread.partition import MAX_ROUTERS, MeshIdentity, Partition
from tests.support.thread_network import DATASET, make_network, names


def pair() -> tuple[Network, Network]:
    """A Leader and a router of its partition."""
    leader, router = make_network(seed=1), make_network(seed=2)
    for node in (leader, router):
        node.enable(0)
    leader.lead(1)
    router.merge(shared(leader), 2)
    return leader, router


def shared(node: Network) -> Partition[NetworkView]:
    assert node.partition is not None
    return node.partition


def test_a_router_id_that_is_taken_gives_the_next_free_one() -> None:
    partition: Partition[NetworkView] = Partition(LeaderData(1, 64, 0, 0, 62), leader=b"leader")
    assert partition.give_router_id(b"a", 62) == 0
    assert partition.give_router_id(b"a", 62) == 0, "its own is as good as a free one"
    assert partition.give_router_id(b"a", 1) == 1
    assert dict(partition.routers) == {62: b"leader", 1: b"a"}


def test_there_are_thirty_two_routers_at_most() -> None:
    partition: Partition[NetworkView] = Partition(LeaderData(1, 64, 0, 0, 0), leader=b"leader")
    for number in range(1, MAX_ROUTERS):
        partition.give_router_id(bytes((number,)), number)
    with pytest.raises(LocalProtocolError, match="32 routers"):
        partition.give_router_id(b"late", 40)
    assert partition.give_router_id(b"\x05", 5) == 5


def test_rank_asks_for_a_leader_first_then_for_company_then_for_weight_then_for_the_id() -> None:
    leader, _ = pair()
    two = shared(leader).rank
    alone = make_network(seed=3)
    alone.enable(0)
    alone.lead(0)
    one = shared(alone).rank
    assert two > one
    assert two._replace(weighting=63) < two
    assert two._replace(partition_id=two.partition_id - 1) < two
    assert two._replace(has_leader=False) < one


def test_members_see_one_partition() -> None:
    leader, router = pair()
    assert (leader.role, router.role) == (Role.LEADER, Role.ROUTER)
    assert leader.partition_id == router.partition_id
    assert (leader.router_count, router.router_count) == (2, 2)
    assert [node.ext_address for node in leader.other_members] == [router.ext_address]
    assert router.omr_prefix == leader.omr_prefix
    router.disable(3)
    assert (leader.router_count, leader.other_members) == (1, ())
    assert router.router_count == 2, "what it was when it left"
    assert router.omr_prefix != leader.omr_prefix


def test_a_border_router_that_comes_or_goes_counts_the_network_data_on() -> None:
    leader, router = pair()
    version = leader.leader_data.data_version
    router.disable(3)
    assert leader.leader_data.data_version == version
    router.enable(4)
    router.merge(shared(leader), 5)
    assert leader.leader_data.data_version == (version + 1) & 0xFF


def test_a_leader_goes_on_leading_its_own_partition_only() -> None:
    leader, router = pair()
    partition = shared(router)
    leader.enable(5)
    assert leader.role is Role.DETACHED
    with pytest.raises(LocalProtocolError, match="its own Leader"):
        router.resume(partition, 6)
    (back,) = leader.resume(partition, 6)
    assert isinstance(back, RoleChanged)
    assert (back.role, back.partition_id) == ("leader", router.partition_id)
    assert partition.has_leader


def test_a_petition_at_one_meets_the_commissioner_of_the_other() -> None:
    leader, router = pair()
    (accepted,) = router.petition("first", SECOND)
    assert isinstance(accepted, PetitionAccepted)
    (rejected,) = leader.petition("second", SECOND)
    assert rejected == PetitionRejected(
        commissioner_id="second", holder="first", reason="another commissioner is active"
    )
    assert Leader(leader).commissioner_dataset() == Leader(router).commissioner_dataset()
    assert (leader.commissioning.active, leader.rloc16) != (None, router.rloc16)
    assert leader.commissioning.active is not None
    assert leader.commissioning.active.locator == router.rloc16


def test_only_the_leader_drops_a_silent_commissioner() -> None:
    leader, router = pair()
    router.petition("first", SECOND)
    assert router.handle_timeout(60 * SECOND) == []
    (lost,) = leader.handle_timeout(60 * SECOND)
    assert isinstance(lost, CommissionerLost)
    assert router.commissioning.active is None


def test_joiners_of_a_built_in_commissioner_are_expected_at_every_router() -> None:
    leader, router = pair()
    router.start_commissioner(SECOND)
    router.handle_timeout(2 * SECOND)
    router.commissioning.add_joiner(JoinerId(), "J01NME", 60 * SECOND, 2 * SECOND)
    assert Leader(leader).steering_data.admits_any
    router.commissioning.stop(3 * SECOND)
    assert Leader(leader).steering_data.admits_none
    assert leader.commissioning.active is None


def test_a_new_leader_knows_no_commissioner() -> None:
    _, router = pair()
    router.petition("first", SECOND)
    changed = router.lead(2 * SECOND)
    assert names(changed) == ["RoleChanged", "PartitionChanged"]
    assert isinstance(changed[-1], PartitionChanged)
    assert router.commissioning.active is None


def test_stopping_a_built_in_commissioner_that_was_superseded_takes_nothing_from_its_successor() -> None:
    leader, router = pair()
    for node in (leader, router):
        node.start_commissioner(SECOND)
        node.handle_timeout(2 * SECOND)
    assert leader.commissioning.active is not None
    assert leader.commissioning.stop(3 * SECOND) == ()
    assert leader.commissioning.active is not None, "the router's is active"


def test_nodes_hear_each_other_on_one_channel_in_one_network() -> None:
    assert MeshIdentity.of(DATASET) == MeshIdentity.of(DATASET.with_tlvs(Dataset.of(network_name="Another name")))
    assert MeshIdentity.of(DATASET) != MeshIdentity.of(DATASET.with_tlvs(Dataset.of(channel=Channel(0, 26))))
    assert MeshIdentity.of(DATASET) != MeshIdentity.of(DATASET.with_tlvs(Dataset.of(pan_id=1)))


def dated(seconds: int, **fields: object) -> Dataset:
    return DATASET.with_tlvs(Dataset.of(active_timestamp=Timestamp(seconds), **fields))  # type: ignore[arg-type]


def pending(active: int, stamp: int, **fields: object) -> Dataset:
    return dated(active, pending_timestamp=Timestamp(stamp), delay_timer_ms=60_000, **fields)


def test_the_newest_active_dataset_is_agreed_on() -> None:
    nodes = [make_network(dataset=dated(seconds), seed=seconds) for seconds in (3, 7, 5)]
    agreed = agreement(nodes, 0)
    assert agreed.active == dated(7)
    assert [is_behind(node, agreed) for node in nodes] == [True, False, True]


def test_the_newest_pending_dataset_is_agreed_on_unless_it_is_overtaken() -> None:
    nodes = [make_network(dataset=dated(3), seed=number) for number in range(3)]
    nodes[0].set_pending_dataset(pending(9, 1), 0)
    nodes[1].set_pending_dataset(pending(8, 2), 0)
    agreed = agreement(nodes, SECOND)
    assert agreed.pending is not None
    assert agreed.pending.pending_timestamp == Timestamp(2)
    assert agreed.pending.delay_timer_ms == 59_000
    assert [lacks_pending(node, agreed, SECOND) for node in nodes] == [True, False, True]
    overtaken = [*nodes, make_network(dataset=dated(10), seed=9)]
    gone = agreement(overtaken, SECOND)
    assert gone.pending is None
    assert [lacks_pending(node, gone, SECOND) for node in overtaken] == [True, True, False, False]


def test_a_pending_dataset_with_another_key_may_go_back_in_time() -> None:
    node = make_network(dataset=dated(3))
    node.set_pending_dataset(pending(1, 5, network_key=bytes(16)), 0)
    assert agreement([node], 0).pending is not None

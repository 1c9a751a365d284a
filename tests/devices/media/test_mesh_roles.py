"""The mesh of a home: one partition of all that hear each other, and what becomes of it."""

import pytest

from devices.errors import ActionRefusedError
from pairing.thread.dataset import Channel, Dataset, Timestamp
from pairing.thread.node import Role
from tests.support.thread_home import ThreadHome
from tests.support.thread_network import DATASET

LIGHT = {"id": "light", "kind": "thread-light", "dataset": "same as br1"}
SENSOR = {"id": "sensor", "kind": "thread-sensor", "dataset": "same as br1"}
MOVED = DATASET.with_tlvs(
    Dataset.of(
        active_timestamp=Timestamp(5),
        channel=Channel(0, 25),
        network_name="Moved",
        pending_timestamp=Timestamp(7),
        delay_timer_ms=30_000,
    )
)


def test_border_routers_of_one_network_form_one_partition_with_one_leader() -> None:
    with ThreadHome(3) as mesh:
        mesh.wait("2s")
        assert mesh.roles() == {"br1": "leader", "br2": "router", "br3": "router"}
        assert mesh.partitions() == {"br1": 1, "br2": 1, "br3": 1}
        nodes = [mesh.node(name) for name in mesh.home]
        assert len({node.rloc16 for node in nodes}) == 3
        assert [node.router_count for node in nodes] == [3, 3, 3]
        assert {node.leader_data.leader_router_id for node in nodes} == {nodes[0].router_id}


def test_one_border_router_is_primary_and_all_tell_of_one_prefix() -> None:
    with ThreadHome(2) as mesh:
        mesh.wait("2s")
        first, second = mesh.node("br1"), mesh.node("br2")
        assert (first.state_bitmap.bbr_primary, second.state_bitmap.bbr_primary) == (True, False)
        assert (first.state_bitmap.bbr_active, second.state_bitmap.bbr_active) == (True, True)
        assert first.omr_prefix == second.omr_prefix
        mesh.do("br1", "disable")
        mesh.wait("1s")
        assert second.state_bitmap.bbr_primary
        txt = [event for event in mesh.events("ServiceUpdated", "br2") if event["medium"] == "lan"]
        assert txt, "its record follows"


def test_border_routers_of_different_networks_know_nothing_of_each_other() -> None:
    other = DATASET.with_tlvs(Dataset.of(network_key=bytes(15) + b"\x01", ext_pan_id=bytes(7) + b"\x01"))
    stranger = {"id": "stranger", "kind": "thread-border-router", "dataset": other.hex()}
    with ThreadHome(1, stranger) as mesh:
        mesh.wait("200s")
        assert mesh.roles() == {"br1": "leader", "stranger": "leader"}
        assert mesh.partitions() == {"br1": 1, "stranger": 2}


def test_devices_are_children_of_routers_and_their_addresses_tell_whose() -> None:
    with ThreadHome(2, LIGHT, SENSOR) as mesh:
        mesh.wait("2s")
        assert mesh.roles() == {"br1": "leader", "br2": "router", "light": "child", "sensor": "child"}
        for device in ("light", "sensor"):
            parent = mesh.node(mesh.home[device].facts["parent"])
            node = mesh.node(device)
            assert node.rloc16 & 0xFC00 == parent.rloc16
            (entry,) = parent.children
            assert (entry.ext_address, parent.child_rloc16(entry)) == (node.ext_address, node.rloc16)
            assert entry.mode.rx_on_when_idle is (device == "light")


def test_a_sleepy_device_alone_stays_detached_and_a_lamp_alone_leads() -> None:
    dataset = DATASET.hex()
    with ThreadHome(0, {**SENSOR, "dataset": dataset}) as mesh:
        mesh.wait("30s")
        assert mesh.roles() == {"sensor": "detached"}
    with ThreadHome(0, {**LIGHT, "dataset": dataset}) as mesh:
        mesh.wait("2s")
        assert mesh.roles() == {"light": "leader"}


def test_another_router_leads_two_minutes_after_the_leader_lost_power() -> None:
    with ThreadHome(3, LIGHT, SENSOR) as mesh:
        mesh.wait("10s")
        before = mesh.node("br2").partition_id
        mesh.do("br1", "power-off", goodbye=False)
        mesh.wait("119s")
        assert mesh.node("br2").partition_id == before
        mesh.wait("5s")
        (led,) = [event for event in mesh.events("RoleChanged") if event["was"] == "router"]
        assert (led["role"], led["at_us"]) == ("leader", 130_000_000)
        states = mesh.roles()
        assert sorted(states[name] for name in ("br2", "br3")) == ["leader", "router"]
        assert (states["light"], states["sensor"]) == ("child", "child")
        assert set(mesh.partitions().values()) == {1, None}
        assert mesh.node("br2").partition_id != before
        assert mesh.node("br2").router_count == 2


def test_a_leader_that_is_back_in_time_leads_on() -> None:
    with ThreadHome(2, SENSOR) as mesh:
        mesh.wait("10s")
        before = mesh.node("br1").partition_id
        mesh.do("br1", "restart")
        mesh.wait("200s")
        assert mesh.roles() == {"br1": "leader", "br2": "router", "sensor": "child"}
        assert {mesh.node(name).partition_id for name in mesh.home} == {before}
        assert not mesh.events("PartitionChanged")


def test_a_leader_that_is_back_too_late_is_a_router() -> None:
    with ThreadHome(2) as mesh:
        mesh.wait("10s")
        mesh.do("br1", "power-off", goodbye=False)
        mesh.wait("150s")
        mesh.do("br1", "power-on")
        mesh.wait("5s")
        assert mesh.roles() == {"br1": "router", "br2": "leader"}
        assert mesh.node("br2").router_count == 2


def test_split_makes_two_partitions_and_merge_one_again() -> None:
    with ThreadHome(3, LIGHT, SENSOR) as mesh:
        mesh.wait("10s")
        mesh.do("br1", "split")
        mesh.wait("5s")
        parents = {name: mesh.home[name].facts["parent"] for name in ("light", "sensor")}
        expected = {"br1": 1, "br2": 2, "br3": 2}
        assert mesh.partitions() == {**expected, **{name: expected[parent] for name, parent in parents.items()}}
        assert sorted(mesh.roles().values()) == ["child", "child", "leader", "leader", "router"]
        mesh.do("br1", "merge")
        mesh.wait("5s")
        assert set(mesh.partitions().values()) == {1}
        assert sorted(mesh.roles().values()) == ["child", "child", "leader", "router", "router"]


def test_the_smaller_partition_goes_over_whatever_its_id_is() -> None:
    with ThreadHome(3) as mesh:
        mesh.wait("10s")
        mesh.do("br3", "split")
        mesh.wait("5s")
        larger = mesh.node("br1").partition_id
        mesh.do("br3", "merge")
        mesh.wait("5s")
        assert {mesh.node(name).partition_id for name in mesh.home} == {larger}


def test_a_router_that_is_told_to_lead_is_followed() -> None:
    with ThreadHome(3, LIGHT) as mesh:
        mesh.wait("10s")
        mesh.do("br3", "lead")
        mesh.wait("5s")
        assert mesh.roles() == {"br1": "router", "br2": "router", "br3": "leader", "light": "child"}
        assert set(mesh.partitions().values()) == {1}


def test_a_router_without_power_cannot_split() -> None:
    with ThreadHome(1) as mesh:
        mesh.do("br1", "power-off")
        with pytest.raises(ActionRefusedError, match="switched off"):
            mesh.do("br1", "split")


def test_a_pending_dataset_reaches_everybody_and_comes_into_force_together() -> None:
    with ThreadHome(2, LIGHT) as mesh:
        mesh.wait("10s")
        mesh.do("br2", "set-dataset", dataset=MOVED.hex(), kind="pending")
        mesh.wait("1s")
        told = [(event["actor"], event["cause"]) for event in mesh.events("DatasetChanged")]
        assert told == [("br2", "operator"), ("br1", "mesh"), ("light", "mesh")]
        mesh.wait("40s")
        moved = [event for event in mesh.events("DatasetChanged") if event["kind"] == "active"]
        assert {(event["at_us"], event["cause"], event["channel"]) for event in moved} == {
            (40_000_000, "delay-timer", 25)
        }
        assert [mesh.node(name).network_name for name in mesh.home] == ["Moved"] * 3
        assert mesh.roles() == {"br1": "leader", "br2": "router", "light": "child"}
        assert [mesh.node(name).pending_dataset(0) for name in mesh.home] == [None] * 3


def test_a_newer_active_dataset_is_taken_and_an_older_one_is_not() -> None:
    newer = DATASET.with_tlvs(Dataset.of(active_timestamp=Timestamp(9), network_name="Newer"))
    with ThreadHome(3) as mesh:
        mesh.wait("10s")
        mesh.do("br2", "set-dataset", dataset=newer.hex(), force=True)
        mesh.wait("1s")
        assert {mesh.node(name).network_name for name in mesh.home} == {"Newer"}
        older = DATASET.with_tlvs(Dataset.of(active_timestamp=Timestamp(4), network_name="Older"))
        mesh.do("br2", "set-dataset", dataset=older.hex(), force=True)
        mesh.wait("1s")
        assert {mesh.node(name).network_name for name in mesh.home} == {"Newer"}


def test_a_router_that_slept_through_a_change_of_channel_finds_the_network_again() -> None:
    with ThreadHome(2) as mesh:
        mesh.wait("10s")
        mesh.do("br2", "power-off")
        mesh.do("br1", "set-dataset", dataset=MOVED.hex(), kind="pending")
        mesh.wait("60s")
        mesh.do("br2", "power-on")
        mesh.wait("5s")
        assert mesh.node("br2").network_name == "Moved"
        assert mesh.roles() == {"br1": "leader", "br2": "router"}


def test_a_router_that_gets_another_key_leaves_the_partition() -> None:
    other = DATASET.with_tlvs(Dataset.of(network_key=bytes(15) + b"\x01", active_timestamp=Timestamp(9)))
    with ThreadHome(3) as mesh:
        mesh.wait("10s")
        mesh.do("br2", "set-dataset", dataset=other.hex(), force=True)
        mesh.wait("5s")
        assert mesh.partitions() == {"br1": 1, "br2": 2, "br3": 1}
        assert mesh.roles() == {"br1": "leader", "br2": "leader", "br3": "router"}


def test_a_device_that_is_reset_leaves_its_parent_at_once_and_a_silent_one_after_its_timeout() -> None:
    with ThreadHome(1, LIGHT, SENSOR) as mesh:
        mesh.wait("10s")
        mesh.do("light", "factory-reset")
        mesh.do("sensor", "power-off")
        mesh.wait("1s")
        assert mesh.home["light"].state == "not-joined"
        assert [event["actor"] for event in mesh.events("ChildDetached")] == ["br1"]
        mesh.wait("240s")
        assert mesh.node("br1").children == ()


def test_children_of_a_reset_router_find_another() -> None:
    with ThreadHome(2, LIGHT, SENSOR) as mesh:
        mesh.wait("10s")
        mesh.do("br2", "factory-reset")
        mesh.wait("130s")
        assert {mesh.home[name].facts["parent"] for name in ("light", "sensor")} == {"br1"}
        assert mesh.node("br1").router_count == 1


def test_beyond_sixteen_routers_border_routers_stay_children() -> None:
    with ThreadHome(20) as mesh:
        mesh.wait("5s")
        states = list(mesh.roles().values())
        assert (states.count("leader"), states.count("router"), states.count("child")) == (1, 15, 4)
        assert all(mesh.node(name).role is not Role.CHILD or mesh.node(name).partition_id for name in mesh.home)


def test_the_same_seed_gives_the_same_events() -> None:
    def run(seed: int) -> list[tuple[object, ...]]:
        with ThreadHome(3, LIGHT, seed=seed) as mesh:
            mesh.wait("5s")
            mesh.do("br1", "power-off")
            mesh.wait("150s")
            return [(event.at_us, event.actor, event.type) for event in mesh.home.events.all()]

    assert run(3) == run(3)

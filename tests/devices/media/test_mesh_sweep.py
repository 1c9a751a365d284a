"""Whatever happens to the nodes of a mesh: given time, all that hear each other are one coherent partition."""

import random

import pytest

from pairing.thread.dataset import Channel, Dataset, Timestamp
from pairing.thread.network import Network
from pairing.thread.node import Role
from tests.support.thread_home import ThreadHome
from tests.support.thread_network import DATASET

ROUTERS = ("br1", "br2", "br3", "br4")
DEVICES = ("light", "sensor")
OTHERS = (
    {"id": "light", "kind": "thread-light", "dataset": "same as br1"},
    {"id": "sensor", "kind": "thread-sensor", "dataset": "same as br1"},
)
LONG_ENOUGH = "400s"


def happen(mesh: ThreadHome, chance: random.Random, step: int) -> str:
    """One thing that happens to one node, and a while."""
    name = chance.choice((*ROUTERS, *ROUTERS, *DEVICES))
    what = chance.choice(("power-off", "power-on", "restart", "disable", "enable", "split", "merge", "lead", "pending"))
    if what in ("disable", "enable", "split", "merge", "lead", "pending") and name in DEVICES:
        what = "restart"
    is_on = mesh.home[name].state != "off"
    if what in ("split", "lead") and not mesh.node(name).attached:
        what = "merge"
    if what not in ("power-on", "power-off") and not is_on:
        what = "power-on"
    if what == "pending":
        change = Dataset.of(
            active_timestamp=Timestamp(10 + step),
            channel=Channel(0, chance.randint(11, 26)),
            pending_timestamp=Timestamp(10 + step),
            delay_timer_ms=chance.choice((5_000, 40_000)),
        )
        mesh.do(name, "set-dataset", dataset=DATASET.with_tlvs(change).hex(), kind="pending")
    else:
        mesh.do(name, what)
    mesh.wait(chance.choice(("50ms", "500ms", "3s", "40s", "130s")))
    return f"{what} {name}"


def check(mesh: ThreadHome) -> None:
    """What must hold once nothing has happened for long."""
    nodes = {name: mesh.node(name) for name in mesh.home if mesh.home[name].state != "off"}
    enabled = {name: node for name, node in nodes.items() if node.enabled}
    attached = {name: node for name, node in enabled.items() if node.attached}
    assert set(enabled) - set(attached) <= {"sensor"}, "only what cannot lead may be alone"
    partitions = {node.partition_id for node in attached.values()}
    leaders = [node for node in attached.values() if node.role is Role.LEADER]
    assert len(leaders) == len(partitions) == (1 if attached else 0)
    assert len({node.rloc16 for node in attached.values()}) == len(attached)
    assert len({node.active_dataset for node in attached.values()}) <= 1
    for node in attached.values():
        check_place(node, attached)
    if leaders:
        routers = [node for node in attached.values() if node.router_id is not None]
        assert leaders[0].router_count == len(routers)
        assert sum(node.state_bitmap.bbr_primary for node in attached.values()) == (
            1 if any(node.is_border_router for node in attached.values()) else 0
        )


def check_place(node: Network, attached: dict[str, Network]) -> None:
    """A child is in its parent's table, and nobody else's."""
    parents = [
        each for each in attached.values() if any(child.ext_address == node.ext_address for child in each.children)
    ]
    if node.role is not Role.CHILD:
        assert parents == []
        return
    (parent,) = parents
    assert node.rloc16 & 0xFC00 == parent.rloc16
    assert parent.partition is node.partition


SEEDS = [*range(20), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(20, 400))]


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_hear_each_other_come_to_be_one_partition(seed: int) -> None:
    chance = random.Random(seed)
    with ThreadHome(4, *OTHERS, seed=seed) as mesh:
        mesh.wait("2s")
        told = [happen(mesh, chance, step) for step in range(chance.randint(3, 15))]
        for name in ROUTERS:
            mesh.do(name, "power-on")
            mesh.do(name, "merge")
        mesh.wait(LONG_ENOUGH)
        print(told)  # what to read when it fails
        check(mesh)

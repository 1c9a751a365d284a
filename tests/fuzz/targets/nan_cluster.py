"""Three Wi-Fi Aware devices that find one cluster, and beacons that nobody should believe for long."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product

from pairing.engine import SECOND
from pairing.nan.attributes import Cluster, MasterIndication
from pairing.nan.beacons import master_rank, nan_beacon
from pairing.nan.cluster import ClusterEngine, ClusterSettings
from pairing.nan.cluster_states import ROLES
from tests.fuzz.stage import LATENCY, Dialogue, Party, Stage, engine_target
from tests.fuzz.targets.nan import beacons
from tests.support.nan_air import CLUSTER
from tests.support.recorded_entropy import seeded

DEVICES = 3
PLAY, CALM = 2 * SECOND, 3 * SECOND
NEARLY_EQUAL = 4 * LATENCY
"""Microseconds that two clocks of one cluster may differ: nobody corrects for the way of a beacon."""


def begin(*, is_given: bool) -> Stage:
    """All scan at once; `is_given` says that they know the ID of their cluster."""
    stage = Stage(horizon=PLAY)
    for number in range(1, DEVICES + 1):
        nmi = bytes((2, 0, 0, 0, 0, number))
        settings = ClusterSettings(nmi=nmi, cluster_id=CLUSTER if is_given else None, warm_up=SECOND, preference=number)
        party = Party(ClusterEngine(settings, seeded(number)), nmi)
        stage.parties.append(party)
        stage.do(party, engine_of(party).start(0))
    return stage


def engine_of(party: Party) -> ClusterEngine:
    """The engine of a party."""
    assert isinstance(party.engine, ClusterEngine)
    return party.engine


def check(stage: Stage, was_ignored: bool, *, is_given: bool) -> None:
    """Everybody has a role; where the cluster is given and only ignored frames came, one anchor and one clock.

    Beacons prove nothing: a forged one may lead devices astray for as long as its clock is ahead.
    """
    stage.horizon = stage.now + CALM
    stage.play()
    engines = [engine_of(party) for party in stage.parties]
    assert all(each.state in ROLES for each in engines)
    if not (is_given and was_ignored):
        return
    anchors = [each for each in engines if each.is_anchor]
    assert len(anchors) == 1, f"{len(anchors)} anchor masters"
    clocks = [each.tsf.at(stage.now) for each in engines]
    assert max(clocks) - min(clocks) <= NEARLY_EQUAL, f"clocks differ by {max(clocks) - min(clocks)} µs"


def recorded() -> Iterable[bytes]:
    """Beacons of other devices in our cluster, and of a strong one at the edges of every number."""
    for beacon in beacons():
        frame = beacon.encode()
        yield frame[:16] + CLUSTER + frame[22:]
    stranger = b"\x02\0\0\0\0\x09"
    rank = master_rank(254, 255, stranger)
    for tsf, hops in product((0, 2**31, 2**32 - 1, 2**63, 2**64 - 1), (0, 1, 254, 255)):
        cluster = Cluster(rank, hops, tsf & 0xFFFFFFFF)
        yield nan_beacon(stranger, CLUSTER, tsf, MasterIndication(254, 255), cluster, is_sync=True).encode()


def dialogues() -> Iterator[Dialogue]:
    """With a cluster ID that is known, and without."""
    for name, is_given in (("given", True), ("found", False)):
        yield Dialogue(
            f"nan-cluster-{name}",
            partial(begin, is_given=is_given),
            partial(check, is_given=is_given),
            seeds=recorded,
            hears=(0,),
        )


TARGETS = tuple(map(engine_target, dialogues()))

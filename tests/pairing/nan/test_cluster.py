"""The cluster engine: devices of one seeded cluster find one anchor, one clock and their roles."""

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.engine import SECOND, FrameIgnored, Micros, Transmit
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import Cluster, MasterIndication
from pairing.nan.beacons import Beacon, nan_beacon
from pairing.nan.cluster import GOOD_RSSI, ClusterEngine, ClusterSettings
from pairing.nan.cluster_states import CLUSTER_TRANSITIONS, ROLES, ClusterInput, ClusterState
from pairing.nan.events import (
    AnchorMasterChanged,
    ClusterJoined,
    ClusterRoleChanged,
    ClusterStarted,
    DiscoveryWindowStarted,
    MasterRankChanged,
)
from pairing.nan.identifiers import CLUSTER_ID_PREFIX
from pairing.nan.timing import DW_DURATION, DW_PERIOD, TU
from tests.support.nan_stations import CLUSTER_ID, LATENCY, Air, Station, nmi


def entropy(seed: object) -> Callable[[int], bytes]:
    counter = itertools.count()
    return lambda length: hashlib.sha256(f"{seed}/{next(counter)}".encode()).digest()[:length]


def engine(number: int, **settings: Any) -> ClusterEngine:
    return ClusterEngine(ClusterSettings(**{"nmi": nmi(number), "cluster_id": CLUSTER_ID, **settings}), entropy(number))


class Scene:
    """Devices numbered from 1, started one after the other."""

    def __init__(self, count: int, *, apart: Micros = SECOND, **settings: Any) -> None:
        self.engines = [engine(number + 1, **settings) for number in range(count)]
        self.stations = [Station(nmi(number + 1), [each]) for number, each in enumerate(self.engines)]
        self.air = Air(*self.stations)
        for station, each in zip(self.stations, self.engines, strict=True):
            self.air.act(station, each.start(self.air.now))
            self.air.run(self.air.now + apart)

    def run(self, seconds: float) -> "Scene":
        self.air.run(self.air.now + round(seconds * SECOND))
        return self

    @property
    def anchors(self) -> list[ClusterEngine]:
        return [each for each in self.engines if each.is_anchor]

    @property
    def roles(self) -> list[ClusterState]:
        return [each.state for each in self.engines]


def test_a_device_alone_begins_a_cluster_after_listening() -> None:
    scene = Scene(1, apart=0)
    assert scene.roles == [ClusterState.SCANNING]
    scene.run(0.3)
    assert not scene.air.frames
    scene.run(1)
    (started,) = scene.stations[0].events(ClusterStarted)
    assert started.cluster_id == "50:6f:9a:01:01:25"
    assert scene.engines[0].is_anchor
    assert scene.roles == [ClusterState.MASTER]


def test_a_cluster_without_a_given_id_draws_one() -> None:
    scene = Scene(1, cluster_id=None).run(1)
    drawn = scene.engines[0].cluster_id
    assert drawn.startswith(CLUSTER_ID_PREFIX)
    assert len(drawn) == 6


def test_sync_beacons_are_inside_windows_and_discovery_beacons_between_them() -> None:
    scene = Scene(1).run(10)
    found = [Beacon.decode(octets) for octets in scene.air.frames]
    assert sum(beacon.is_sync for beacon in found) == 21
    for beacon in found:
        assert beacon.is_sync is (beacon.tsf % DW_PERIOD < DW_DURATION)
    between = [beacon.tsf for beacon in found if not beacon.is_sync]
    assert min(later - earlier for earlier, later in itertools.pairwise(between)) >= 100 * TU
    assert len(between) > 95


def test_windows_are_told_with_their_number() -> None:
    scene = Scene(1).run(10)
    told = scene.stations[0].events(DiscoveryWindowStarted)
    assert [each.index for each in told] == [number % 16 for number in range(21)]
    assert [each.tsf for each in told] == [number * DW_PERIOD for number in range(21)]


def test_warm_up_keeps_rank_at_zero_and_then_draws_a_factor() -> None:
    scene = Scene(1).run(100)
    first = Beacon.decode(scene.air.frames[-1]).find(MasterIndication)
    assert first == MasterIndication(0, 0)
    scene.run(25)
    (changed,) = scene.stations[0].events(MasterRankChanged)
    last = Beacon.decode(scene.air.frames[-1]).find(MasterIndication)
    assert last == MasterIndication(2, changed.random_factor)


def test_the_random_factor_is_drawn_again_every_120_to_240_windows() -> None:
    scene = Scene(1, warm_up=0).run(1200)
    at = [Beacon.decode(octets) for octets in scene.air.frames]
    windows: list[int] = []
    for one, other in itertools.pairwise(at):
        if one.find(MasterIndication) != other.find(MasterIndication):
            windows.append(other.tsf // DW_PERIOD)
    spans = [later - earlier for earlier, later in itertools.pairwise(windows)]
    assert len(spans) > 5
    assert all(119 <= span <= 241 for span in spans)


def test_joining_devices_share_clock_and_anchor() -> None:
    scene = Scene(4).run(20)
    (anchor,) = scene.anchors
    assert anchor is scene.engines[3], "with equal ranks the last octet of the address decides"
    for each in scene.engines:
        assert abs(each.tsf.offset - anchor.tsf.offset) <= 5 * LATENCY
        assert each.anchor.rank == anchor.rank
        assert each.anchor.hop_count == (0 if each is anchor else 1)
    assert sum(bool(station.events(ClusterStarted)) for station in scene.stations) == 1


def test_devices_that_begin_together_agree_all_the_same() -> None:
    scene = Scene(3, apart=0).run(20)
    assert all(station.events(ClusterStarted) for station in scene.stations)
    assert len(scene.anchors) == 1
    assert len({each.anchor.rank for each in scene.engines}) == 1
    offsets = [each.tsf.offset for each in scene.engines]
    assert max(offsets) - min(offsets) <= 5 * LATENCY


def test_devices_that_come_into_earshot_later_take_over_the_clock_of_the_higher_anchor() -> None:
    scene = Scene(1)
    other = engine(2)
    station = Station(nmi(2), [other])
    scene.air.stations.append(station)
    scene.air.hears = lambda sender, receiver: False
    scene.air.act(station, other.start(scene.air.now))
    scene.run(3)
    assert abs(other.tsf.offset - scene.engines[0].tsf.offset) > SECOND // 2
    scene.air.hears = lambda sender, receiver: True
    scene.run(3)
    (joined,) = scene.stations[0].events(ClusterJoined)
    assert abs(joined.tsf_offset - other.tsf.offset) <= 5 * LATENCY
    assert other.is_anchor
    assert not station.events(ClusterJoined)


def test_close_to_each_other_one_master_is_enough() -> None:
    scene = Scene(4).run(20)
    assert sorted(role.value for role in scene.roles) == ["master"] + ["non-master-non-sync"] * 3
    told = [each for station in scene.stations for each in station.events(ClusterRoleChanged)]
    assert all("dBm" in each.reason or each.old_role == "scanning" for each in told)


def test_far_from_each_other_all_stay_masters() -> None:
    scene = Scene(3)
    for station, each in zip(scene.stations, scene.engines, strict=True):
        station.engines = [Deaf(each, rssi=-70)]
    scene.run(20)
    assert scene.roles == [ClusterState.MASTER] * 3
    assert len(scene.anchors) == 1


class Deaf:
    """An engine to which every beacon arrives with the same strength."""

    def __init__(self, inner: ClusterEngine, rssi: int) -> None:
        self.inner, self.rssi = inner, rssi

    @property
    def deadline(self) -> Micros | None:
        return self.inner.deadline

    def handle_timeout(self, now: Micros) -> Any:
        return self.inner.handle_timeout(now)

    def receive(self, payload: bytes, sender: Any, now: Micros) -> Any:
        return self.inner.receive(payload, sender, now, self.rssi)


def test_hops_are_counted_along_a_chain() -> None:
    scene = Scene(4, warm_up=10**12)
    for station, each in zip(scene.stations, scene.engines, strict=True):
        station.engines = [Deaf(each, rssi=-70)]
    scene.air.hears = lambda sender, receiver: abs(sender - receiver) == 1
    scene.run(20)
    assert [each.anchor.hop_count for each in scene.engines] == [3, 2, 1, 0]
    assert {each.anchor.rank for each in scene.engines} == {scene.engines[3].rank}
    beacon = next(Beacon.decode(octets) for octets in reversed(scene.air.frames) if octets[10:16] == nmi(1))
    cluster = beacon.find(Cluster)
    assert cluster is not None
    assert cluster.hop_count == 3
    assert 0 < beacon.tsf - cluster.ambtt < 3 * DW_PERIOD, "the beacon time of the anchor travels along"


def test_a_silent_anchor_is_given_up_after_three_windows_and_replaced() -> None:
    scene = Scene(3).run(20)
    (anchor,) = scene.anchors
    scene.air.act(scene.stations[2], anchor.stop(scene.air.now))
    scene.run(5)
    assert scene.roles[2] is ClusterState.IDLE
    assert scene.anchors == [scene.engines[1]]
    reasons = [each.reason for each in scene.stations[1].events(AnchorMasterChanged)]
    assert "no beacon time for 3 windows" in reasons


def test_a_lost_way_becomes_hop_255() -> None:
    lone = engine(1, warm_up=10**12)
    lone.start(0)
    lone.handle_timeout(lone.deadline or 0)
    low, high = nmi(8), nmi(9)
    near = beacon_of(high, hops=0, tsf=lone.tsf.at(400_000), rank_of=high)
    lone.receive(near, high, 400_000)
    assert lone.anchor.hop_count == 1
    now = 400_000
    for _ in range(4):  # the anchor's time still comes, but only by a longer way
        now += DW_PERIOD
        drive(lone, now)
        lone.receive(beacon_of(low, hops=5, tsf=lone.tsf.at(now), rank_of=high, ambtt=lone.tsf.at(now)), low, now)
    assert lone.anchor.hop_count in (255, 6)
    assert lone.anchor.rank != lone.rank


def beacon_of(source: bytes, *, hops: int, tsf: Micros, rank_of: bytes, ambtt: int = 0) -> bytes:
    rank = int.from_bytes(rank_of + bytes((0, 0)), "little")
    cluster = Cluster(rank, hops, ambtt & 0xFFFFFFFF)
    return nan_beacon(source, CLUSTER_ID, tsf, MasterIndication(0, 0), cluster, is_sync=True).encode()


def drive(each: ClusterEngine, until: Micros) -> None:
    while each.deadline is not None and each.deadline <= until:
        each.handle_timeout(each.deadline)


def test_a_higher_preference_takes_over_but_not_twice_in_240_windows() -> None:
    scene = Scene(2, warm_up=0).run(5)
    loser = next(each for each in scene.engines if not each.is_anchor)
    station = scene.stations[scene.engines.index(loser)]
    scene.air.act(station, loser.set_preference(200, scene.air.now))
    scene.run(2)
    assert scene.anchors == [loser]
    with pytest.raises(LocalProtocolError, match="expected 240 at least"):
        loser.set_preference(3, scene.air.now)
    scene.run(130)
    scene.air.act(station, loser.set_preference(1, scene.air.now))
    scene.run(5)
    assert scene.anchors != [loser]


def test_an_impossible_preference_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="1 to 254"):
        engine(1, preference=255)


def test_foreign_clusters_are_named_once_and_never_merged() -> None:
    scene = Scene(1).run(2)
    foreign = replace(Beacon.decode(scene.air.frames[0]), source=nmi(9), cluster_id=bytes.fromhex("506f9a010999"))
    (ignored,) = scene.engines[0].receive(foreign.encode(), nmi(9), scene.air.now)
    assert isinstance(ignored, FrameIgnored)
    assert ignored.reason == "cluster 50:6f:9a:01:09:99, ours is 50:6f:9a:01:01:25; clusters are not merged"
    assert scene.engines[0].receive(foreign.encode(), nmi(9), scene.air.now) == []


def test_without_a_given_id_the_better_cluster_is_joined() -> None:
    late = engine(1, cluster_id=None)
    late.start(0)
    for number, preference in ((5, 10), (6, 90), (7, 50)):
        rank = int.from_bytes(nmi(number) + bytes((0, preference)), "little")
        beacon = nan_beacon(
            nmi(number),
            CLUSTER_ID_PREFIX + bytes((0, number)),
            number * 1_000_000,
            MasterIndication(preference, 0),
            Cluster(rank, 0, 0),
            is_sync=False,
        )
        assert late.receive(beacon.encode(), nmi(number), 1000) == []
    late.handle_timeout(late.deadline or 0)
    assert late.cluster_id == CLUSTER_ID_PREFIX + bytes((0, 6))
    assert late.tsf.at(1000) == 6_000_000
    assert late.anchor.hop_count == 1


def test_own_beacons_and_those_without_the_cluster_are_not_taken() -> None:
    scene = Scene(1).run(1)
    own = scene.air.frames[0]
    assert scene.engines[0].receive(own, nmi(1), scene.air.now) == []
    bare = replace(Beacon.decode(own), source=nmi(2), attributes=())
    (ignored,) = scene.engines[0].receive(bare.encode(), nmi(2), scene.air.now)
    assert isinstance(ignored, FrameIgnored)
    assert "without master indication" in ignored.reason


@pytest.mark.parametrize("is_scanning", [True, False])
def test_a_clock_at_the_end_of_its_64_bits_is_not_followed(is_scanning: bool) -> None:
    scene = Scene(1).run(0 if is_scanning else 5)
    late = beacon_of(nmi(9), hops=0, tsf=2**64 - 1, rank_of=nmi(9))
    (ignored,) = scene.engines[0].receive(late, nmi(9), scene.air.now)
    assert isinstance(ignored, FrameIgnored)
    assert "would overflow" in ignored.reason
    scene.run(5)
    assert scene.engines[0].is_anchor


@given(st.binary(max_size=100))
def test_arbitrary_octets_end_in_one_named_refusal(octets: bytes) -> None:
    each = engine(1)
    each.start(0)
    assert [type(output) for output in each.receive(octets, nmi(2), 1)] == [FrameIgnored]


def test_an_idle_device_hears_nothing() -> None:
    assert engine(1).receive(b"whatever", nmi(2), 1) == []
    assert engine(1).deadline is None


def test_a_caller_that_slept_does_not_make_up_for_windows() -> None:
    each = engine(1)
    each.start(0)
    each.handle_timeout(each.deadline or 0)
    drive(each, 3 * SECOND)
    outputs = each.handle_timeout(600 * SECOND)
    assert len(outputs) < 8
    assert each.deadline is not None
    assert 600 * SECOND < each.deadline <= 600 * SECOND + DW_PERIOD


def test_deadlines_never_lie_in_the_past_of_what_was_handled() -> None:
    scene = Scene(4, warm_up=5 * SECOND)
    for _ in range(400):
        scene.run(0.25)
        for each in scene.engines:
            assert each.deadline is not None
            assert each.deadline > scene.air.now - 1


def test_a_small_correction_of_the_clock_is_silent_and_keeps_the_window() -> None:
    scene = Scene(2).run(5)
    slave = scene.engines[0]
    (anchor,) = scene.anchors
    before = slave.tsf.offset
    now = scene.air.now
    rank = anchor.rank
    beacon = nan_beacon(
        nmi(2), CLUSTER_ID, now + before + 500, MasterIndication(0, 0), Cluster(rank, 0, 0), is_sync=True
    )
    assert slave.receive(beacon.encode(), nmi(2), now, GOOD_RSSI) == []
    assert slave.tsf.offset == before + 500


@pytest.mark.parametrize("state", ClusterState)
def test_intents_outside_the_table_are_errors(state: ClusterState) -> None:
    each = engine(1)
    if state is not ClusterState.IDLE:
        each.start(0)
    if state in ROLES:
        each.handle_timeout(each.deadline or 0)
    if state not in (ClusterState.IDLE, ClusterState.SCANNING, ClusterState.MASTER):
        return  # reached by beacons only; the table says the same of all roles
    for intent, by in ((each.stop, ClusterInput.STOP), (each.start, ClusterInput.START)):
        if (state, by) not in CLUSTER_TRANSITIONS:
            with pytest.raises(LocalProtocolError):
                intent(1)
            assert each.state is state


def test_a_stopped_device_may_start_again() -> None:
    scene = Scene(2).run(5)
    scene.air.act(scene.stations[0], scene.engines[0].stop(scene.air.now))
    assert scene.engines[0].deadline is None
    scene.air.act(scene.stations[0], scene.engines[0].start(scene.air.now))
    scene.run(5)
    assert scene.engines[0].anchor.rank == scene.engines[1].rank


def test_one_seed_gives_one_course_of_events() -> None:
    assert Scene(3, warm_up=SECOND).run(90).air.frames == Scene(3, warm_up=SECOND).run(90).air.frames


def test_beacons_go_to_everybody() -> None:
    scene = Scene(1).run(1)
    assert {each.to for each in scene.stations[0].outputs if isinstance(each, Transmit)} == {b"\xff" * 6}

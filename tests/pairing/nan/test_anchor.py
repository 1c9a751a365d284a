"""Anchor master selection: each rule on its own."""

import pytest

from pairing.nan.anchor import STALE_AFTER, AnchorRecord, Choice, HeardBeacon, choose, is_newer
from pairing.nan.beacons import master_rank
from pairing.nan.cluster_states import (
    CLUSTER_TRANSITIONS,
    ROLES,
    ClusterInput,
    ClusterState,
    RssiThresholds,
    judge_role,
)
from tests.support.nan_stations import nmi

LOW, OURS, HIGH, HIGHER = (master_rank(number, 0, nmi(number)) for number in (1, 2, 3, 4))
OWN = AnchorRecord(OURS)
NOW = 100_000_000


def heard(rank: int, hops: int = 0, ambtt: int = NOW, sender: int = 9) -> HeardBeacon:
    return HeardBeacon(nmi(sender), rank, AnchorRecord(rank, hops, ambtt), NOW)


def chosen(answer: Choice | str) -> AnchorRecord:
    assert isinstance(answer, Choice), answer
    return answer.record


def test_a_higher_anchor_is_adopted_one_hop_further() -> None:
    assert chosen(choose(OWN, OWN, None, heard(HIGH, 2), NOW)) == AnchorRecord(HIGH, 3, NOW)


def test_a_lower_anchor_is_ignored() -> None:
    current = AnchorRecord(HIGH, 1, NOW)
    assert choose(OWN, current, None, heard(LOW), NOW) == "its anchor has a lower rank than ours"


def test_the_anchor_that_we_are_is_not_adopted_from_others() -> None:
    earlier = AnchorRecord(master_rank(200, 0, nmi(2)), 1, NOW)
    assert "names us" in str(choose(OWN, OWN, None, HeardBeacon(nmi(9), LOW, earlier, NOW), NOW))


def test_a_given_up_anchor_comes_back_only_with_a_newer_beacon_time() -> None:
    given_up = AnchorRecord(HIGH, 1, NOW)
    assert "gave up" in str(choose(OWN, OWN, given_up, heard(HIGH, 1, NOW), NOW))
    assert chosen(choose(OWN, OWN, given_up, heard(HIGH, 1, NOW + 1), NOW)).rank == HIGH


def test_an_anchor_whose_own_rank_falls_is_weighed_again() -> None:
    current = AnchorRecord(HIGHER, 1, NOW)
    fallen = master_rank(1, 0, nmi(4))
    assert chosen(choose(OWN, current, None, heard(fallen, sender=4), NOW)) == OWN
    still_high = master_rank(3, 0, nmi(4))
    assert chosen(choose(OWN, current, None, heard(still_high, sender=4), NOW)) == AnchorRecord(still_high, 1, NOW)
    assert isinstance(choose(OWN, current, None, heard(still_high, sender=5), NOW), str), "only its own word counts"


def test_of_one_anchor_the_newest_time_and_the_shortest_way_are_kept() -> None:
    current = AnchorRecord(HIGH, 2, NOW - 1000)
    newer = choose(OWN, current, None, heard(HIGH, 5, NOW), NOW)
    assert isinstance(newer, Choice)
    assert (newer.record, newer.is_ambtt_newer, newer.is_hop_confirmed) == (AnchorRecord(HIGH, 2, NOW), True, False)
    nearer = choose(OWN, current, None, heard(HIGH, 0, NOW - 2000), NOW)
    assert isinstance(nearer, Choice)
    assert nearer.record == AnchorRecord(HIGH, 1, NOW - 1000)
    assert (nearer.is_ambtt_newer, nearer.is_hop_confirmed) == (False, True)
    assert choose(OWN, current, None, heard(HIGH, 5, NOW - 2000), NOW) == "nothing newer of the same anchor"


def test_a_stale_beacon_time_is_discarded() -> None:
    current = AnchorRecord(HIGH, 5, 0)
    assert choose(OWN, current, None, heard(HIGH, 0, NOW - STALE_AFTER - 1), NOW) == "its AMBTT is too old"
    assert isinstance(choose(OWN, current, None, heard(HIGH, 0, NOW - STALE_AFTER), NOW), Choice)


def test_a_lost_way_leads_nowhere() -> None:
    assert choose(OWN, OWN, None, heard(HIGH, 255), NOW) == "the sender has lost its way to the anchor"


@pytest.mark.parametrize(
    ("ambtt", "than", "answer"), [(2, 1, True), (1, 2, False), (1, 1, False), (5, 0xFFFFFFF0, True)]
)
def test_beacon_times_wrap(ambtt: int, than: int, answer: bool) -> None:
    assert is_newer(ambtt, than) is answer


# Roles.

ANCHOR = AnchorRecord(HIGHER, 2, NOW)
THRESHOLDS = RssiThresholds()


def beacons(*strengths: int, rank: int = HIGH, hops: int = 1) -> list[HeardBeacon]:
    return [
        HeardBeacon(nmi(20 + place), rank, AnchorRecord(HIGHER, hops, NOW), NOW, rssi)
        for place, rssi in enumerate(strengths)
    ]


@pytest.mark.parametrize(
    ("strengths", "is_met"),
    [
        ((-59,), True),
        ((-60,), False),
        ((-74, -74), False),
        ((-74, -74, -74), True),
        ((-75, -75, -75), False),
        ((), False),
    ],
)
def test_one_close_or_three_middling_beacons_suffice(strengths: tuple[int, ...], is_met: bool) -> None:
    assert THRESHOLDS.are_met(strengths) is is_met


@pytest.mark.parametrize(
    ("role", "found", "step"),
    [
        (ClusterState.MASTER, beacons(-50), ClusterInput.OUTRANKED),
        (ClusterState.MASTER, beacons(-50, rank=LOW), None),
        (ClusterState.MASTER, beacons(-70, -70), None),
        (ClusterState.NON_MASTER_SYNC, beacons(-50, hops=3), None),
        (ClusterState.NON_MASTER_SYNC, [], ClusterInput.NEEDED_AS_MASTER),
        (ClusterState.NON_MASTER_SYNC, beacons(-50), ClusterInput.COVERED),
        (ClusterState.NON_MASTER_SYNC, beacons(-50, hops=2), ClusterInput.COVERED),
        (ClusterState.NON_MASTER_NON_SYNC, beacons(-50), None),
        (ClusterState.NON_MASTER_NON_SYNC, beacons(-50, hops=3), ClusterInput.NEEDED_FOR_SYNC),
        (ClusterState.NON_MASTER_NON_SYNC, beacons(-50, rank=LOW, hops=2), ClusterInput.NEEDED_FOR_SYNC),
    ],
)
def test_beacons_of_a_window_move_a_role_one_step(
    role: ClusterState, found: list[HeardBeacon], step: ClusterInput | None
) -> None:
    judged = judge_role(role, OURS, ANCHOR, found, THRESHOLDS)
    assert (judged[0] if judged else None) is step
    if step is not None:
        assert (role, step) in CLUSTER_TRANSITIONS


def test_beacons_of_another_anchor_do_not_count_as_nearer() -> None:
    other = [HeardBeacon(nmi(9), HIGH, AnchorRecord(HIGH, 0, NOW), NOW, -50)]
    judged = judge_role(ClusterState.NON_MASTER_NON_SYNC, OURS, ANCHOR, other, THRESHOLDS)
    assert judged is not None
    assert judged[0] is ClusterInput.NEEDED_FOR_SYNC


@pytest.mark.parametrize("role", ROLES)
def test_an_anchor_is_always_master(role: ClusterState) -> None:
    judged = judge_role(role, OURS, OWN, beacons(-20, -20, -20), THRESHOLDS)
    assert (
        judged is None
        if role is ClusterState.MASTER
        else judged
        == (
            ClusterInput.BECAME_ANCHOR,
            "it is the anchor master",
        )
    )

"""The roles of a device in its cluster, the only moves between them, and the rule that decides.

Source: Wi-Fi Aware specification 4.0, section 3.4 (roles and role transitions); figures as open implementations have
them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from pairing.nan.anchor import AnchorRecord, HeardBeacon


class ClusterState(Enum):
    """Where a device is; the last three are its roles."""

    IDLE = "idle"
    SCANNING = "scanning"
    MASTER = "master"  # sends sync and discovery beacons
    NON_MASTER_SYNC = "non-master-sync"  # sends sync beacons
    NON_MASTER_NON_SYNC = "non-master-non-sync"  # only listens


class ClusterInput(Enum):
    """What can happen to it."""

    START = "start"
    SCAN_OVER = "scan-over"
    OUTRANKED = "outranked"  # enough strong beacons of higher-ranked masters
    NEEDED_AS_MASTER = "needed-as-master"
    COVERED = "covered"  # enough strong beacons from devices nearer to the anchor
    NEEDED_FOR_SYNC = "needed-for-sync"
    BECAME_ANCHOR = "became-anchor"
    STOP = "stop"


_C, _N = ClusterState, ClusterInput
ROLES = (_C.MASTER, _C.NON_MASTER_SYNC, _C.NON_MASTER_NON_SYNC)
CLUSTER_TRANSITIONS: dict[tuple[ClusterState, ClusterInput], ClusterState] = {
    (_C.IDLE, _N.START): _C.SCANNING,
    (_C.SCANNING, _N.SCAN_OVER): _C.MASTER,
    (_C.SCANNING, _N.STOP): _C.IDLE,
    (_C.MASTER, _N.OUTRANKED): _C.NON_MASTER_SYNC,
    (_C.NON_MASTER_SYNC, _N.NEEDED_AS_MASTER): _C.MASTER,
    (_C.NON_MASTER_SYNC, _N.COVERED): _C.NON_MASTER_NON_SYNC,
    (_C.NON_MASTER_NON_SYNC, _N.NEEDED_FOR_SYNC): _C.NON_MASTER_SYNC,
    (_C.NON_MASTER_SYNC, _N.BECAME_ANCHOR): _C.MASTER,
    (_C.NON_MASTER_NON_SYNC, _N.BECAME_ANCHOR): _C.MASTER,
    **{(role, _N.STOP): _C.IDLE for role in ROLES},
}


@dataclass(frozen=True, slots=True)
class RssiThresholds:
    """In dBm: one beacon stronger than `close`, or three stronger than `middle`, make a device step back."""

    close: int = -60
    middle: int = -75

    def are_met(self, strengths: Iterable[int]) -> bool:
        """Whether beacons of these strengths suffice."""
        heard = list(strengths)
        return any(rssi > self.close for rssi in heard) or sum(rssi > self.middle for rssi in heard) >= 3


def judge_role(
    role: ClusterState, own_rank: int, anchor: AnchorRecord, heard: Iterable[HeardBeacon], thresholds: RssiThresholds
) -> tuple[ClusterInput, str] | None:
    """What the beacons of one window, one a sender, do to a role: at most one step; None if it stays."""
    if anchor.hop_count == 0:
        return None if role is ClusterState.MASTER else (ClusterInput.BECAME_ANCHOR, "it is the anchor master")
    beacons = list(heard)
    higher = [beacon.rssi for beacon in beacons if beacon.sender_rank > own_rank]
    nearer = [beacon.rssi for beacon in beacons if _is_nearer(beacon, own_rank, anchor)]
    told_higher = f"beacons of higher-ranked devices at {sorted(higher, reverse=True)} dBm"
    told_nearer = f"beacons from nearer to the anchor at {sorted(nearer, reverse=True)} dBm"
    match role:
        case ClusterState.MASTER if thresholds.are_met(higher):
            return ClusterInput.OUTRANKED, told_higher
        case ClusterState.NON_MASTER_SYNC if not thresholds.are_met(higher):
            return ClusterInput.NEEDED_AS_MASTER, told_higher
        case ClusterState.NON_MASTER_SYNC if thresholds.are_met(nearer):
            return ClusterInput.COVERED, told_nearer
        case ClusterState.NON_MASTER_NON_SYNC if not thresholds.are_met(nearer):
            return ClusterInput.NEEDED_FOR_SYNC, told_nearer
    return None


def _is_nearer(beacon: HeardBeacon, own_rank: int, anchor: AnchorRecord) -> bool:
    if beacon.anchor.rank != anchor.rank:
        return False
    hops = beacon.anchor.hop_count
    return hops < anchor.hop_count or (hops == anchor.hop_count and beacon.sender_rank > own_rank)

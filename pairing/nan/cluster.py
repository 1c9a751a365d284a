"""The cluster engine: finds or begins a cluster, keeps its clock, sends beacons, changes role, follows an anchor.

One cluster only: where a cluster ID is given, devices of that ID find together whoever began first; beacons of other
clusters are ignored with a reason, and clusters are never merged. Only the 2.4 GHz discovery windows are used.
Source: Wi-Fi Aware specification 4.0, section 3; figures as open implementations have them.
"""

from dataclasses import dataclass, replace

from pairing.engine import SECOND, Address, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit
from pairing.errors import DecodeError, LocalProtocolError
from pairing.nan.anchor import MAX_HOPS, PATIENCE_DWS, AnchorRecord, Choice, HeardBeacon, choose
from pairing.nan.attributes import Attribute, Cluster, MasterIndication
from pairing.nan.beacons import DISCOVERY_INTERVAL, Beacon, master_rank, nan_beacon, rank_preference
from pairing.nan.cluster_states import (
    CLUSTER_TRANSITIONS,
    ROLES,
    ClusterInput,
    ClusterState,
    RssiThresholds,
    judge_role,
)
from pairing.nan.events import (
    AnchorMasterChanged,
    ClusterJoined,
    ClusterRoleChanged,
    ClusterStarted,
    DiscoveryWindowStarted,
    MasterRankChanged,
)
from pairing.nan.identifiers import BROADCAST, CLUSTER_ID_PREFIX, address_text, check_address
from pairing.nan.timing import DW_DURATION, DW_PERIOD, TU, DiscoveryWindows, Tsf, dw_index

PROTOCOL = "nan-cluster"
GOOD_RSSI = -50
LOW_32 = 0xFFFFFFFF
REDRAW_DWS = (120, 240)
"""A random factor lives for so many windows."""
PREFERENCE_DWS = 240
"""A preference stays for so many windows at least."""
LATEST_TSF = 2**63
"""No cluster is 290,000 years old, and who follows such a clock may come to the end of the 64 bits of a beacon."""
MAX_CLUSTERS = 64
"""Foreign clusters that are taken note of."""
SENDING_SYNC = frozenset({ClusterState.MASTER, ClusterState.NON_MASTER_SYNC})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """How a device takes part in its cluster."""

    nmi: bytes
    cluster_id: bytes | None = None
    """The one cluster that counts; None: the best one heard, else a random one of its own."""
    preference: int = 2
    """Master preference after warm-up, 1 to 254."""
    committed_dw: int = 1
    scan_time: Micros = 3 * DISCOVERY_INTERVAL * TU
    warm_up: Micros = 120 * SECOND
    """How long preference and random factor stay 0."""
    discovery_beacon_period: Micros = DISCOVERY_INTERVAL * TU
    thresholds: RssiThresholds = RssiThresholds()  # noqa: RUF009 - a frozen value
    beacon_attributes: tuple[Attribute, ...] = ()
    """What beacons say beyond master indication and cluster, a service ID list for example."""

    def __post_init__(self) -> None:
        check_address(self.nmi, "NMI")
        _checked(self.preference)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A cluster heard while scanning, with the offset of its clock from ours."""

    cluster_id: bytes
    offset: Micros
    heard: HeardBeacon

    def grade(self) -> tuple[int, int, int]:
        """The anchor's preference, then the TSF; the anchor's rank breaks a tie."""
        rank = self.heard.anchor.rank
        return rank_preference(rank), self.offset, rank


class ClusterEngine:
    """One device's part in its cluster. Intents: `start`, `stop`, `set_preference`; `tsf` is the clock to follow."""

    def __init__(self, settings: ClusterSettings, entropy: Entropy) -> None:
        self._settings = settings
        self._entropy = entropy
        self._windows = DiscoveryWindows(settings.committed_dw)
        self._state = ClusterState.IDLE
        self._cluster_id = settings.cluster_id or b""
        self._tsf = Tsf()
        self._preference = self._random_factor = 0
        self._anchor = AnchorRecord(self.rank)
        self._given_up: AnchorRecord | None = None
        self._without_ambtt = self._without_hop = 0
        self._heard: dict[bytes, HeardBeacon] = {}
        self._candidates: dict[bytes, _Candidate] = {}
        self._strangers: set[bytes] = set()
        self._scan_ends: Micros | None = None
        self._warm_up_ends: Micros | None = None
        # The following are TSF values: the clock may be set while they wait.
        self._next_window: Micros = 0
        self._window_ends: Micros | None = None
        self._sync_beacon: Micros | None = None
        self._discovery_beacon: Micros | None = None
        self._dws_to_redraw = 0
        self._dws_since_preference = PREFERENCE_DWS

    # What the owner asks for.

    def start(self, now: Micros) -> Outputs:
        """Listen for a cluster; when the scan is over, join it or begin one."""
        self._move(ClusterInput.START)
        self._candidates.clear()
        self._cluster_id = self._settings.cluster_id or b""
        self._scan_ends = now + self._settings.scan_time
        return []

    def stop(self, now: Micros) -> Outputs:
        """Leave without a word; others notice the missing beacons."""
        self._move(ClusterInput.STOP)
        self._scan_ends = self._warm_up_ends = self._window_ends = None
        self._preference = self._random_factor = 0
        return []

    def set_preference(self, preference: int, now: Micros) -> Outputs:
        """Want more or less to be master, not more often than every 240 windows."""
        if self._dws_since_preference < PREFERENCE_DWS:
            raise LocalProtocolError(
                f"the preference changed {self._dws_since_preference} windows ago, expected {PREFERENCE_DWS} at least"
            )
        self._settings = replace(self._settings, preference=_checked(preference))
        self._dws_since_preference = 0
        if self._state not in ROLES or self._warm_up_ends is not None:
            return []
        return self._set_rank(preference, self._random_factor, self._tsf.at(now))

    # What others may ask.

    @property
    def state(self) -> ClusterState:
        """The role, or that there is none yet."""
        return self._state

    @property
    def cluster_id(self) -> bytes:
        """The cluster's ID; empty before there is one."""
        return self._cluster_id

    @property
    def tsf(self) -> Tsf:
        """The cluster's clock. `ClusterStarted` and `ClusterJoined` tell of a new one, small corrections are silent."""
        return self._tsf

    @property
    def rank(self) -> int:
        """This device's master rank."""
        return master_rank(self._preference, self._random_factor, self._settings.nmi)

    @property
    def anchor(self) -> AnchorRecord:
        """The anchor master that this device believes in."""
        return self._anchor

    @property
    def is_anchor(self) -> bool:
        """Whether this device believes to be the anchor master."""
        return self._state in ROLES and self._anchor.hop_count == 0

    # What time and the air bring.

    @property
    def deadline(self) -> Micros | None:
        """The end of the scan or of warm-up, a window's start or end, a beacon."""
        if self._scan_ends is not None:
            return self._scan_ends
        due = self._next_due()
        times = (None if due is None else self._tsf.when(due), self._warm_up_ends)
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: Micros) -> Outputs:
        """Everything that is due, in order."""
        if self._scan_ends is not None:
            return self._end_scan(now) if self._scan_ends <= now else []
        outputs: list[Output] = []
        if self._warm_up_ends is not None and self._warm_up_ends <= now:
            self._warm_up_ends = None
            outputs += self._set_rank(self._settings.preference, self._entropy(1)[0], self._tsf.at(now))
        tsf = self._tsf.at(now)
        while (due := self._next_due()) is not None and due <= tsf:
            if self._window_ends is None and tsf - self._next_window >= DW_PERIOD:
                self._plan(tsf - DW_PERIOD)  # the caller slept through windows; they are not made up for
            else:
                outputs += self._on_due(due, tsf)
        return outputs

    def receive(self, payload: bytes, sender: Address, now: Micros, rssi: int = GOOD_RSSI) -> Outputs:
        """A beacon from the air, with its strength in dBm where the medium knows it."""
        peer = address_text(sender) if isinstance(sender, bytes) else None
        if self._state is ClusterState.IDLE:
            return []
        try:
            beacon = Beacon.decode(payload)
        except DecodeError as error:
            return [FrameIgnored(peer=peer, reason=str(error), protocol=PROTOCOL)]
        if beacon.source == self._settings.nmi:
            return []
        if beacon.tsf > LATEST_TSF:
            return [_ignored(beacon, f"TSF {beacon.tsf}, expected at most {LATEST_TSF}: ours would overflow")]
        heard = _heard(beacon, rssi)
        if heard is None:
            return [_ignored(beacon, "a beacon without master indication or cluster attribute")]
        if beacon.cluster_id != self._cluster_id and (self._cluster_id or self._state in ROLES):
            return self._on_stranger(beacon)
        if self._state is ClusterState.SCANNING:
            if beacon.cluster_id in self._candidates or len(self._candidates) < MAX_CLUSTERS:
                self._candidates[beacon.cluster_id] = _Candidate(beacon.cluster_id, beacon.tsf - now, heard)
            return []
        return self._on_beacon(beacon, heard, now)

    # Finding a cluster.

    def _end_scan(self, now: Micros) -> list[Output]:
        scanning = self._state.value
        self._scan_ends = None
        self._preference = self._random_factor = 0
        self._warm_up_ends = now + self._settings.warm_up
        self._move(ClusterInput.SCAN_OVER)
        self._dws_to_redraw = self._draw_redraw()
        self._given_up = None
        self._anchor = AnchorRecord(self.rank)
        if not self._candidates:
            if not self._cluster_id:
                self._cluster_id = CLUSTER_ID_PREFIX + self._entropy(2)
            self._tsf = Tsf(-now)
            self._plan(-1)
            return [
                ClusterStarted(cluster_id=address_text(self._cluster_id)),
                *self._role_event(scanning, "no cluster heard"),
            ]
        best = max(self._candidates.values(), key=_Candidate.grade)
        self._candidates.clear()
        self._cluster_id = best.cluster_id
        joined = self._follow_clock(best.offset)
        self._plan(self._tsf.at(now))
        choice = choose(AnchorRecord(self.rank), self._anchor, None, best.heard, self._tsf.at(now))
        changed = self._believe(choice, self._tsf.at(now)) if isinstance(choice, Choice) else []
        return [*joined, *self._role_event(scanning, "joined a cluster"), *changed]

    def _follow_clock(self, offset: Micros) -> list[Output]:
        self._tsf = Tsf(offset)
        return [ClusterJoined(cluster_id=address_text(self._cluster_id), tsf_offset=offset)]

    def _plan(self, after: Micros) -> None:
        """Windows and beacons from that TSF on."""
        self._next_window = after + DW_PERIOD - after % DW_PERIOD
        self._window_ends = self._sync_beacon = None
        self._discovery_beacon = after + self._settings.discovery_beacon_period
        self._heard.clear()

    # Beacons of others.

    def _on_stranger(self, beacon: Beacon) -> list[Output]:
        if beacon.cluster_id in self._strangers or len(self._strangers) >= MAX_CLUSTERS:
            return []
        self._strangers.add(beacon.cluster_id)
        theirs, ours = address_text(beacon.cluster_id), address_text(self._cluster_id)
        return [_ignored(beacon, f"cluster {theirs}, ours is {ours}; clusters are not merged")]

    def _on_beacon(self, beacon: Beacon, heard: HeardBeacon, now: Micros) -> list[Output]:
        if beacon.is_sync and self._window_ends is not None:
            self._heard[heard.sender] = heard
        hops = self._anchor.hop_count
        tsf = self._tsf.at(now)
        choice = choose(AnchorRecord(self.rank), self._anchor, self._given_up, heard, tsf)
        if isinstance(choice, str):
            return []
        outputs = self._believe(choice, tsf)
        if self.is_anchor or not choice.is_hop_confirmed or heard.anchor.hop_count >= max(hops, self._anchor.hop_count):
            return outputs
        offset = beacon.tsf - now
        if abs(offset - self._tsf.offset) < TU:
            self._tsf = Tsf(offset)  # what is planned stays planned
            return outputs
        outputs += self._follow_clock(offset)
        self._plan(self._tsf.at(now))
        return outputs

    def _believe(self, choice: Choice, tsf: Micros) -> list[Output]:
        old, self._anchor = self._anchor, choice.record
        if choice.is_ambtt_newer:
            self._without_ambtt = 0
        if choice.is_hop_confirmed:
            self._without_hop = 0
        if old.rank == choice.record.rank:
            return []
        self._given_up = old if old.hop_count else None
        self._without_ambtt = self._without_hop = 0
        changed = AnchorMasterChanged(
            cluster_id=address_text(self._cluster_id),
            old_rank=old.rank,
            rank=choice.record.rank,
            hop_count=choice.record.hop_count,
            reason=choice.reason,
        )
        return [changed, *self._judge_role(tsf)] if self.is_anchor else [changed]

    # What is due.

    def _next_due(self) -> Micros | None:
        if self._state not in ROLES:
            return None
        times = [self._next_window if self._window_ends is None else self._window_ends]
        if self._sync_beacon is not None:
            times.append(self._sync_beacon)
        if self._state is ClusterState.MASTER and self._discovery_beacon is not None:
            times.append(self._discovery_beacon)
        return min(times)

    def _on_due(self, due: Micros, tsf: Micros) -> list[Output]:
        if due == self._sync_beacon:
            self._sync_beacon = None
            return self._beacon(tsf, is_sync=True)
        if self._window_ends is not None:
            if due == self._window_ends:
                return self._end_window(tsf)
        elif due == self._next_window:
            return self._begin_window(tsf)
        return self._on_discovery_beacon(tsf)

    def _begin_window(self, tsf: Micros) -> list[Output]:
        start = self._next_window
        self._window_ends = start + DW_DURATION
        self._next_window = start + DW_PERIOD
        self._heard.clear()
        if self._state in SENDING_SYNC:
            # Masters do not all speak at once: each waits for a moment of the first half of the window.
            self._sync_beacon = start + int.from_bytes(self._entropy(2), "big") % (DW_DURATION // 2)
        if self._state not in SENDING_SYNC and not self._windows.is_open(start):
            return []
        event = DiscoveryWindowStarted(cluster_id=address_text(self._cluster_id), tsf=start, index=dw_index(start))
        return [event]

    def _end_window(self, tsf: Micros) -> list[Output]:
        self._window_ends = self._sync_beacon = None
        self._dws_since_preference += 1
        outputs = self._age(tsf)
        outputs += self._judge_role(tsf)
        self._dws_to_redraw -= 1
        if self._dws_to_redraw <= 0:
            self._dws_to_redraw = self._draw_redraw()
            if self._warm_up_ends is None:
                outputs += self._set_rank(self._preference, self._entropy(1)[0], tsf)
        return outputs

    def _age(self, tsf: Micros) -> list[Output]:
        """An anchor that gives no sign of life for three windows is believed in no longer."""
        if self.is_anchor:
            return []
        self._without_ambtt += 1
        self._without_hop += 1
        if self._without_ambtt >= PATIENCE_DWS:
            return self._believe(Choice(AnchorRecord(self.rank), f"no beacon time for {PATIENCE_DWS} windows"), tsf)
        if self._without_hop >= PATIENCE_DWS:
            self._anchor = replace(self._anchor, hop_count=MAX_HOPS)
        return []

    def _judge_role(self, tsf: Micros) -> list[Output]:
        judged = judge_role(self._state, self.rank, self._anchor, self._heard.values(), self._settings.thresholds)
        if judged is None:
            return []
        by, reason = judged
        old = self._state.value
        self._move(by)
        if self._state is ClusterState.MASTER:
            self._discovery_beacon = tsf + self._settings.discovery_beacon_period
        return self._role_event(old, reason)

    def _set_rank(self, preference: int, random_factor: int, tsf: Micros) -> list[Output]:
        self._preference, self._random_factor = preference, random_factor
        changed = MasterRankChanged(
            cluster_id=address_text(self._cluster_id), preference=preference, random_factor=random_factor
        )
        if self._anchor.nmi == self._settings.nmi or self.rank > self._anchor.rank:
            return [changed, *self._believe(Choice(AnchorRecord(self.rank), "our own rank changed"), tsf)]
        return [changed]

    # Beacons of our own.

    def _on_discovery_beacon(self, tsf: Micros) -> list[Output]:
        self._discovery_beacon = tsf + self._settings.discovery_beacon_period
        return [] if self._window_ends is not None else self._beacon(tsf, is_sync=False)

    def _beacon(self, tsf: Micros, *, is_sync: bool) -> list[Output]:
        beacon = nan_beacon(
            self._settings.nmi,
            self._cluster_id,
            tsf,
            MasterIndication(self._preference, self._random_factor),
            Cluster(self._anchor.rank, self._anchor.hop_count, self._anchor.ambtt),
            self._settings.beacon_attributes,
            is_sync=is_sync,
        )
        return [Transmit(beacon.encode(), BROADCAST)]

    def _draw_redraw(self) -> int:
        low, high = REDRAW_DWS
        return low + self._entropy(1)[0] % (high - low + 1)

    def _move(self, by: ClusterInput) -> None:
        target = CLUSTER_TRANSITIONS.get((self._state, by))
        if target is None:
            raise LocalProtocolError(f"cluster: cannot {by.value} while {self._state.value}")
        self._state = target

    def _role_event(self, old_role: str, reason: str) -> list[Output]:
        return [
            ClusterRoleChanged(
                cluster_id=address_text(self._cluster_id), old_role=old_role, role=self._state.value, reason=reason
            )
        ]


def _heard(beacon: Beacon, rssi: int) -> HeardBeacon | None:
    indication, cluster = beacon.find(MasterIndication), beacon.find(Cluster)
    if indication is None or cluster is None:
        return None
    ambtt = beacon.tsf & LOW_32 if cluster.hop_count == 0 else cluster.ambtt
    record = AnchorRecord(cluster.anchor_master_rank, cluster.hop_count, ambtt)
    rank = master_rank(indication.preference, indication.random_factor, beacon.source)
    return HeardBeacon(beacon.source, rank, record, beacon.tsf, rssi)


def _checked(preference: int) -> int:
    if not 1 <= preference <= 254:
        raise LocalProtocolError(f"master preference {preference}, expected 1 to 254")
    return preference


def _ignored(beacon: Beacon, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=address_text(beacon.source), reason=reason, protocol=PROTOCOL)

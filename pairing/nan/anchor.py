"""Which anchor master a device follows: pure rules over what it believes and what a beacon says.

Source: Wi-Fi Aware specification 4.0, section 3.5 (anchor master selection); figures as open implementations have them.
"""

from dataclasses import dataclass, replace

from pairing.engine import Micros
from pairing.nan.beacons import rank_octets
from pairing.nan.identifiers import ADDRESS_LENGTH, address_text
from pairing.nan.timing import DW0_PERIOD

MAX_HOPS = 255
"""The hop count of a device that has lost its way to the anchor."""
STALE_AFTER: Micros = DW0_PERIOD
"""A beacon whose AMBTT is older than this is discarded."""
PATIENCE_DWS = 3
"""So many windows without progress of AMBTT, or of the hop count, a device still believes in its anchor."""
_LOW_32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class AnchorRecord:
    """The anchor master as a device believes it; hop 0 and AMBTT 0: it is the anchor itself."""

    rank: int
    hop_count: int = 0
    ambtt: int = 0

    @property
    def nmi(self) -> bytes:
        """The anchor's address, which its rank contains."""
        return rank_octets(self.rank)[:ADDRESS_LENGTH]


@dataclass(frozen=True, slots=True)
class HeardBeacon:
    """What a beacon says, AMBTT already the beacon's own time where the anchor itself sent it."""

    sender: bytes
    sender_rank: int
    anchor: AnchorRecord
    tsf: Micros
    rssi: int = 0

    @property
    def is_from_anchor(self) -> bool:
        """Hop 0: the sender takes itself for the anchor."""
        return self.anchor.hop_count == 0


@dataclass(frozen=True, slots=True)
class Choice:
    """The new belief, why, and whether the beacon showed that the anchor is alive or that the way to it still is."""

    record: AnchorRecord
    reason: str
    is_ambtt_newer: bool = False
    is_hop_confirmed: bool = False


def is_newer(ambtt: int, than: int) -> bool:
    """Whether one low half of a TSF is later than another, wrapping."""
    return 0 < (ambtt - than & _LOW_32) < 1 << 31


def choose(
    own: AnchorRecord, current: AnchorRecord, previous: AnchorRecord | None, heard: HeardBeacon, tsf: Micros
) -> Choice | str:
    """What to believe after a beacon, or why it changes nothing. `own` is this device as an anchor."""
    said = heard.anchor
    if said.nmi == own.nmi:
        return "the beacon names us as the anchor"
    if said.hop_count >= MAX_HOPS:
        return "the sender has lost its way to the anchor"
    if said.rank == current.rank:
        return _same_anchor(current, said, tsf)
    offered = AnchorRecord(said.rank, said.hop_count + 1, said.ambtt)
    if said.rank > current.rank:
        if previous is not None and said.rank == previous.rank and not is_newer(said.ambtt, previous.ambtt):
            return "it is the anchor that we gave up, without any sign of life since"
        return Choice(offered, f"higher rank heard from {address_text(heard.sender)}", True, True)
    if heard.sender != current.nmi:
        return "its anchor has a lower rank than ours"
    if own.rank > said.rank:
        return Choice(own, "the anchor's rank fell below ours")
    return Choice(offered, "the anchor's rank fell", True, True)


def _same_anchor(current: AnchorRecord, said: AnchorRecord, tsf: Micros) -> Choice | str:
    if (tsf - said.ambtt & _LOW_32) in range(STALE_AFTER + 1, 1 << 31):
        return "its AMBTT is too old"
    is_ambtt_newer, hops = is_newer(said.ambtt, current.ambtt), said.hop_count + 1
    is_hop_confirmed = hops <= current.hop_count
    if not is_ambtt_newer and not is_hop_confirmed:
        return "nothing newer of the same anchor"
    record = replace(
        current,
        ambtt=said.ambtt if is_ambtt_newer else current.ambtt,
        hop_count=min(current.hop_count, hops),
    )
    return Choice(record, "newer word of the same anchor", is_ambtt_newer, is_hop_confirmed)

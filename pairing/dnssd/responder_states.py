"""The states of a claim to a unique name (a service instance or a host), and the only moves between them.

`TRANSITIONS` is the law; the responder asks it at every step. A pair that is missing means: nothing happens.
Source: RFC 6762 sections 8 (probing, announcing, goodbye) and 9 (conflict resolution).
"""

from enum import Enum


class ClaimState(Enum):
    """Where a claim to a name stands."""

    WAITING = "waiting"  # a delay runs before the first probe: random, late start, lost tie-break, many conflicts
    PROBING = "probing"  # one to three probes are out
    ANNOUNCING = "announcing"  # the name is ours; announcements are still owed
    ESTABLISHED = "established"  # the name is ours and has been announced
    WITHDRAWN = "withdrawn"  # final


class ClaimInput(Enum):
    """What can happen to a claim."""

    DELAY_OVER = "delay-over"
    ASSERTED = "asserted"  # the lie that skips probing
    PROBES_UNANSWERED = "probes-unanswered"
    TIEBREAK_LOST = "tiebreak-lost"
    CONFLICT = "conflict"
    ANNOUNCED = "announced"  # the last announcement went out
    UPDATE = "update"
    LINK_CHANGED = "link-changed"
    WITHDRAW = "withdraw"


TRANSITIONS: dict[tuple[ClaimState, ClaimInput], ClaimState] = {
    (ClaimState.WAITING, ClaimInput.DELAY_OVER): ClaimState.PROBING,
    (ClaimState.WAITING, ClaimInput.ASSERTED): ClaimState.ANNOUNCING,
    (ClaimState.WAITING, ClaimInput.CONFLICT): ClaimState.WAITING,
    (ClaimState.WAITING, ClaimInput.WITHDRAW): ClaimState.WITHDRAWN,
    (ClaimState.PROBING, ClaimInput.PROBES_UNANSWERED): ClaimState.ANNOUNCING,
    (ClaimState.PROBING, ClaimInput.TIEBREAK_LOST): ClaimState.WAITING,
    (ClaimState.PROBING, ClaimInput.CONFLICT): ClaimState.WAITING,
    (ClaimState.PROBING, ClaimInput.LINK_CHANGED): ClaimState.WAITING,
    (ClaimState.PROBING, ClaimInput.WITHDRAW): ClaimState.WITHDRAWN,
    (ClaimState.ANNOUNCING, ClaimInput.ANNOUNCED): ClaimState.ESTABLISHED,
    (ClaimState.ANNOUNCING, ClaimInput.UPDATE): ClaimState.ANNOUNCING,
    (ClaimState.ANNOUNCING, ClaimInput.CONFLICT): ClaimState.WAITING,
    (ClaimState.ANNOUNCING, ClaimInput.LINK_CHANGED): ClaimState.WAITING,
    (ClaimState.ANNOUNCING, ClaimInput.WITHDRAW): ClaimState.WITHDRAWN,
    (ClaimState.ESTABLISHED, ClaimInput.UPDATE): ClaimState.ANNOUNCING,
    (ClaimState.ESTABLISHED, ClaimInput.CONFLICT): ClaimState.WAITING,
    (ClaimState.ESTABLISHED, ClaimInput.LINK_CHANGED): ClaimState.WAITING,
    (ClaimState.ESTABLISHED, ClaimInput.WITHDRAW): ClaimState.WITHDRAWN,
}

ANSWERING = frozenset({ClaimState.ANNOUNCING, ClaimState.ESTABLISHED})
"""The states in which the name is ours: questions are answered and probes by others are met."""

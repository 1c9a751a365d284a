"""The states of one side of an SAE exchange, and the only moves between them. Both sides run the same table.

Source: IEEE 802.11-2020, 12.4.8.2 (states). Retransmission and the Sync counter are the carrier's: PASN has neither.
"""

from enum import Enum


class SaeState(Enum):
    """Where one side stands."""

    NOTHING = "nothing"
    COMMITTED = "committed"  # our Commit is made, or both are
    CONFIRMED = "confirmed"  # both Commits are in, so that keys exist
    ACCEPTED = "accepted"  # final: the peer's Confirm fits
    FAILED = "failed"  # final


class SaeInput(Enum):
    """What can happen to one side."""

    COMMIT_MADE = "commit-made"
    COMMIT_RECEIVED = "commit-received"
    CONFIRM_MADE = "confirm-made"
    CONFIRM_RECEIVED = "confirm-received"
    REFUSED = "refused"  # what the peer sent is malformed or proves another password


TRANSITIONS: dict[tuple[SaeState, SaeInput], SaeState] = {
    (SaeState.NOTHING, SaeInput.COMMIT_MADE): SaeState.COMMITTED,
    (SaeState.COMMITTED, SaeInput.COMMIT_RECEIVED): SaeState.CONFIRMED,
    (SaeState.COMMITTED, SaeInput.REFUSED): SaeState.FAILED,
    (SaeState.CONFIRMED, SaeInput.CONFIRM_MADE): SaeState.CONFIRMED,
    (SaeState.CONFIRMED, SaeInput.CONFIRM_RECEIVED): SaeState.ACCEPTED,
    (SaeState.CONFIRMED, SaeInput.REFUSED): SaeState.FAILED,
    (SaeState.ACCEPTED, SaeInput.CONFIRM_MADE): SaeState.ACCEPTED,
}

"""How the datasets of a partition's members become one: who has the newer timestamp is believed.

Decisions only; the mesh carries them out. Thread specification, chapter 8.4.3: Active and Pending Timestamps are told
with every advertisement, and whoever is behind asks for the dataset. A pending dataset is worth nothing once the active
one is as new, unless it brings another network key.
"""

from collections.abc import Iterable
from typing import NamedTuple

from pairing.engine import Micros
from pairing.thread.dataset import Dataset
from pairing.thread.fields import Timestamp
from pairing.thread.network_view import NetworkView

_NEVER = Timestamp(0)


class Agreement(NamedTuple):
    """What a partition's members should all have."""

    active: Dataset | None
    pending: Dataset | None


def agreement(members: Iterable[NetworkView], now: Micros) -> Agreement:
    """The newest active dataset of all, and the newest pending one that goes beyond it. The first wins a tie."""
    nodes = tuple(members)
    active: Dataset | None = None
    for node in nodes:
        if node.active_dataset is not None and (
            active is None or active_time(node.active_dataset) > active_time(active)
        ):
            active = node.active_dataset
    pending: Dataset | None = None
    for node in nodes:
        its = node.pending_dataset(now)
        if its is None or not _goes_beyond(its, active):
            continue
        if pending is None or pending_time(its) > pending_time(pending):
            pending = its
    return Agreement(active, pending)


def is_behind(node: NetworkView, agreed: Agreement) -> bool:
    """Whether the node takes the agreed active dataset."""
    if agreed.active is None:
        return False
    own = node.active_dataset
    return own is None or active_time(own) < active_time(agreed.active)


def lacks_pending(node: NetworkView, agreed: Agreement, now: Micros) -> bool:
    """Whether the node takes the agreed pending dataset, or (there being none) gives up its own."""
    own = node.pending_dataset(now)
    if agreed.pending is None:
        return own is not None
    return own is None or pending_time(own) < pending_time(agreed.pending)


def active_time(dataset: Dataset) -> Timestamp:
    """The Active Timestamp; a dataset without one is older than all."""
    return dataset.active_timestamp or _NEVER


def pending_time(dataset: Dataset) -> Timestamp:
    """The Pending Timestamp; a dataset without one is older than all."""
    return dataset.pending_timestamp or _NEVER


def _goes_beyond(pending: Dataset, active: Dataset | None) -> bool:
    if active is None or pending.network_key != active.network_key:
        return True
    return active_time(pending) > active_time(active)

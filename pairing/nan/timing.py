"""Time in a NAN cluster: TSF, time units, slots, discovery windows, and which windows a device is awake in.

Everything is integer microseconds. The TSF is the cluster's own count; how it relates to the caller's clock is `Tsf`.
Source: Wi-Fi Aware specification 4.0, sections 3.2 (discovery windows) and 9.5.9 (committed DW).
"""

from dataclasses import dataclass

from pairing.engine import Micros

TU: Micros = 1024
SLOT_TU = 16
DW_TU = 16
"""A discovery window lasts 16 TU …"""
DW_PERIOD_TU = 512
"""… and there is one every 512 TU."""
DW0_PERIOD_TU = 16 * DW_PERIOD_TU
DW_5_GHZ_OFFSET_TU = 128
"""The 5 GHz window starts so much later than the 2.4 GHz one."""

DW_DURATION: Micros = DW_TU * TU
DW_PERIOD: Micros = DW_PERIOD_TU * TU
DW0_PERIOD: Micros = DW0_PERIOD_TU * TU
DWS_IN_DW0_PERIOD = DW0_PERIOD_TU // DW_PERIOD_TU

EVERY_DW = 1
"""The committed DW field of a device that is awake in every window."""


@dataclass(frozen=True, slots=True)
class Tsf:
    """The cluster's clock: the TSF is `offset` more than the caller's time. TSFs are 64 bits wide and do not wrap."""

    offset: Micros = 0

    def at(self, now: Micros) -> Micros:
        """The TSF at a moment of the caller's clock."""
        return now + self.offset

    def when(self, tsf: Micros) -> Micros:
        """The moment of the caller's clock at which the TSF has that value."""
        return tsf - self.offset


def dw_index(tsf: Micros) -> int:
    """Number of the last 2.4 GHz window that has begun, 0 to 15 counted from DW0."""
    return tsf // DW_PERIOD % DWS_IN_DW0_PERIOD


@dataclass(frozen=True, slots=True)
class DiscoveryWindows:
    """The discovery windows of one band in which a device is awake, by the TSF."""

    committed: int = EVERY_DW
    """The committed DW field: 0 never awake, else in every 2^(n-1)-th window counted from DW0."""
    is_5_ghz: bool = False

    @property
    def _offset(self) -> Micros:
        return DW_5_GHZ_OFFSET_TU * TU if self.is_5_ghz else 0

    @property
    def _step(self) -> Micros:
        return DW_PERIOD << self.committed - 1

    def start(self, tsf: Micros) -> Micros | None:
        """Start of the awake window that is open at that moment, or None."""
        if not self.committed:
            return None
        since = (tsf - self._offset) % self._step
        return tsf - since if since < DW_DURATION else None

    def is_open(self, tsf: Micros) -> bool:
        """Whether an awake window is open at that moment."""
        return self.start(tsf) is not None

    def next_start(self, tsf: Micros) -> Micros | None:
        """Start of the first awake window that begins after that moment; None if the device never wakes."""
        if not self.committed:
            return None
        return tsf + self._step - (tsf - self._offset) % self._step

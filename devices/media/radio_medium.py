"""What media of radios have in common: who is in whose range, how strongly, and whose radio is off.

Said of actors, not of ports: all radios of an actor are where it is.
"""

from collections.abc import Iterable

from devices.media.medium import Medium, Tap
from devices.sim.clock import Clock


class RadioMedium(Medium):
    """A subclass asks `is_apart` and `strength` when it carries something, and may react in `_reach_changed`."""

    def __init__(self, name: str, clock: Clock, taps: Iterable[Tap], rssi_dbm: int) -> None:
        super().__init__(name, clock, taps)
        self.rssi_dbm = rssi_dbm
        """How strongly two actors hear each other unless `set_rssi` says otherwise."""
        self._off: set[str] = set()
        self._apart: set[tuple[str, str]] = set()
        self._rssi: dict[tuple[str, str], int] = {}

    def radio_off(self, actor: str) -> None:
        """Every radio of the actor is off until `radio_on`, those that join later too."""
        self._off.add(actor)
        self._switch(actor, up=False)

    def radio_on(self, actor: str) -> None:
        """Undo `radio_off`."""
        self._off.discard(actor)
        self._switch(actor, up=True)

    def separate(self, one: str, other: str) -> None:
        """Put two actors out of each other's range."""
        self._apart.add(_pair(one, other))
        self._reach_changed()

    def reunite(self, one: str, other: str) -> None:
        """Undo `separate`."""
        self._apart.discard(_pair(one, other))
        self._reach_changed()

    def set_rssi(self, one: str, other: str, dbm: int) -> None:
        """How strongly two actors hear each other, instead of `rssi_dbm`."""
        self._rssi[_pair(one, other)] = dbm
        self._reach_changed()

    def is_apart(self, one: str, other: str) -> bool:
        """True when two actors were put out of each other's range."""
        return bool(self._apart) and _pair(one, other) in self._apart

    def strength(self, one: str, other: str) -> int:
        """How strongly two actors hear each other, in dBm."""
        return self._rssi.get(_pair(one, other), self.rssi_dbm) if self._rssi else self.rssi_dbm

    def _switch(self, actor: str, *, up: bool) -> None:
        for port in self._ports:
            if port.actor == actor:
                port.up = up
        self._reach_changed()

    def _reach_changed(self) -> None:
        """Range, strength or power has changed."""


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)

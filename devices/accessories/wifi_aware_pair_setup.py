"""Pair setup of a Wi-Fi Aware accessory: open for so long, with these codes. Open, it says on the air who it is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from devices.accessories.wifi_aware_codes import Code, Codes
from devices.events import CodeExpired, CodeShown, PairSetupClosed, PairSetupOpened
from devices.sim.clock import Timer
from devices.spec import duration_us

if TYPE_CHECKING:
    from devices.accessories.wifi_aware_base import WifiAwareAccessory


class PairSetup:
    """Whether new peers may pair, and what can be read off meanwhile."""

    def __init__(self, owner: "WifiAwareAccessory") -> None:
        self.is_open = False
        table = owner.settings.pairing
        chance = owner.site.chance.stream(f"accessory/{owner.id}/codes")
        self.codes = Codes(table, owner.settings.methods, owner.settings.service, chance)
        self._owner = owner
        self._shown: tuple[Code, ...] = ()
        self._timer: Timer | None = None

    @property
    def shows(self) -> Mapping[str, str]:
        """The codes while it is open."""
        return self.codes.shown

    def does_open_by_itself(self) -> bool:
        """What the file says of a device with these pairings."""
        table = self._owner.settings.pairing
        if not table.methods or table.open == "closed":
            return False
        return table.open == "always" or not self._owner.peers.remembered

    def open(self, expires: str | None = None) -> None:
        """Let peers pair; wrong codes of before are forgiven. Open already, the codes stay and the time begins anew."""
        owner, table = self._owner, self._owner.settings.pairing
        self._cancel_timer()
        was_open, self.is_open = self.is_open, True
        owner.perform(lambda device, now: device.open_pairing(now))
        if not was_open:
            service = owner.settings.service
            owner.emit(PairSetupOpened(service=service, methods=tuple(table.methods)), "air")
            self._shown = self.codes.draw()
            for code in self._shown:
                owner.emit(CodeShown(kind=code.kind, service=service, code=code.text))
        limit = expires or table.expires
        if limit is not None:
            self._timer = owner.site.clock.call_later(duration_us(limit), self._expire)

    def close(self, reason: str) -> None:
        """Let nobody new pair; nothing happens if it is closed."""
        if not self.is_open:
            return
        self._forget()
        self._owner.perform(lambda device, now: device.close_pairing(now))
        self._owner.emit(PairSetupClosed(service=self._owner.settings.service, reason=reason), "air")
        self._owner.owner.turn_away()

    def stop(self) -> None:
        """Power is off: nothing is shown."""
        self._forget()

    def _expire(self) -> None:
        self._timer = None
        shown = self._shown
        for code in shown:
            self._owner.emit(CodeExpired(kind=code.kind, service=self._owner.settings.service))
        self.close("expired")

    def _forget(self) -> None:
        self._cancel_timer()
        self.is_open = False
        self.codes.hide()
        self._shown = ()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

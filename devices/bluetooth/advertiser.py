"""When a controller advertises: at its interval plus a drawn delay, and only while somebody listens.

Source: Bluetooth Core Specification 5.4, Vol 6, Part B, 4.4.2.2 (advInterval, advDelay); Vol 4, Part E, 7.8.5, 7.8.53.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from bumble import hci
from bumble.controller import AdvertisingSet, LegacyAdvertiser

from devices.media.ble import Advert
from devices.sim.clock import Timer
from pairing.engine import Micros

if TYPE_CHECKING:
    from devices.bluetooth.radio import Radio

UNIT_US = 625
_DELAY_US = 10_000
_SHORTEST_US = 20_000
_IND, _DIRECT_HIGH, _SCAN, _NONCONN, _DIRECT_LOW = range(5)
_CONNECTABLE, _SCANNABLE, _DIRECTED, _LEGACY = 0x01, 0x02, 0x04, 0x10


def octets(address: hci.Address) -> bytes:
    """The six octets in the order in which people write them; HCI has them the other way round."""
    return address.address_bytes[::-1]


class _Schedule(ABC):
    """Advertising events on the home's clock. While nobody listens no timer is armed and no chance is drawn."""

    enabled: bool
    """Bumble's own flag, of either kind."""
    _radio: "Radio"
    _timer: Timer | None = None
    _next_us: Micros = 0
    _advert: Advert | None = None

    def wake(self) -> None:
        """Somebody listens again: the next event is where it would have been without the rest."""
        if self.enabled and self._timer is None:
            now, interval = self._radio.clock.now(), self._interval_us
            missed = max(0, -(-(now - self._next_us) // interval))
            self._next_us += missed * interval
            self._arm()

    def offers(self, address: bytes) -> bool:
        """True while it takes connections at that address."""
        advert = self._current() if self.enabled else None
        return advert is not None and advert.connectable and advert.address == address

    def start(self) -> None:
        """Advertise, beginning now."""
        self.stop()
        self.enabled = True
        self._next_us = self._radio.clock.now()
        self._radio.medium.add_advertiser(self)
        self._arm()

    def stop(self) -> None:
        """Advertise no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.enabled:
            self.enabled = False
            self._radio.medium.remove_advertiser(self)

    def _arm(self) -> None:
        if self._radio.medium.is_heard:
            self._timer = self._radio.clock.call_at(self._next_us, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if not self.enabled:
            return
        self._next_us = self._radio.clock.now() + self._interval_us + self._radio.entropy.randrange(_DELAY_US)
        advert = self._current()
        if advert is not None:
            self._radio.medium.advertise(self._radio.port, advert)
        if self.enabled and self._timer is None:
            self._arm()

    def _current(self) -> Advert | None:
        # One record as long as nothing changes, so that listeners need not encode it again.
        advert = self._made()
        if advert != self._advert:
            self._advert = advert
        return self._advert

    @property
    @abstractmethod
    def _interval_us(self) -> Micros:
        """Time from one event to the next, without the drawn delay."""

    @abstractmethod
    def _made(self) -> Advert | None:
        """What the settings amount to now."""


class RadioLegacyAdvertiser(_Schedule, LegacyAdvertiser):
    """The one set of legacy advertising."""

    def __init__(self, radio: "Radio") -> None:
        LegacyAdvertiser.__init__(self, controller=radio)
        self._radio = radio

    @property
    def _interval_us(self) -> Micros:
        return max(self.advertising_interval_min * UNIT_US, _SHORTEST_US)

    def _made(self) -> Advert:
        kind = int(self.advertising_type)
        is_directed = kind in (_DIRECT_HIGH, _DIRECT_LOW)
        return Advert(
            octets(self.address),
            bool(self.own_address_type & 1),
            b"" if is_directed else bytes(self.advertising_data),
            bytes(self.scan_response_data) if kind in (_IND, _SCAN) else b"",
            connectable=kind in (_IND, _DIRECT_HIGH, _DIRECT_LOW),
            scannable=kind in (_IND, _SCAN),
            directed_to=octets(self.peer_address) if is_directed else None,
        )


class RadioAdvertisingSet(_Schedule, AdvertisingSet):
    """A set of extended advertising."""

    def __init__(self, radio: "Radio", handle: int) -> None:
        AdvertisingSet.__init__(self, controller=radio, handle=handle)
        self._radio = radio

    @property
    def address(self) -> hci.Address | None:
        """The set's own random address, else the controller's."""
        if self.parameters is None:
            return None
        if not self.parameters.own_address_type & 1:
            return self._radio.public_address
        return self.random_address or self._radio.random_address

    @property
    def _interval_us(self) -> Micros:
        units = self.parameters.primary_advertising_interval_min if self.parameters else 0
        return max(units * UNIT_US, _SHORTEST_US)

    def _made(self) -> Advert | None:
        address, parameters = self.address, self.parameters
        if address is None or parameters is None:
            return None
        bits = int(parameters.advertising_event_properties)
        return Advert(
            octets(address),
            bool(parameters.own_address_type & 1),
            bytes(self.data),
            bytes(self.scan_response_data),
            connectable=bool(bits & _CONNECTABLE),
            scannable=bool(bits & _SCANNABLE),
            legacy=bool(bits & _LEGACY),
            sid=parameters.advertising_sid,
            directed_to=octets(parameters.peer_address) if bits & _DIRECTED else None,
        )

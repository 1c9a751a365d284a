"""`pairlab` with two more kinds whose protocol has a planted bug; run as a program, so that no other test meets them.

A `planted-sender` counts to twenty, repeating each number until it is acknowledged. The `planted-receiver` knows a
repeat only by the number it had last, so a late repeat of an older one is carried out twice. `remembers = true` mends
it.
"""

import sys
from typing import ClassVar

from devices.accessories.base import Accessory, Settings
from devices.accessories.registry import accessory
from devices.events import RequestReceived
from devices.media.medium import Flight
from pairing.engine import Endpoint

PORT = 5000
LAST = 20
RETRY_US = 50_000


@accessory("planted-sender")
class PlantedSender(Accessory):
    """Counts, one number at a time."""

    async def _start(self) -> None:
        own = Endpoint(self.site.lan.host_of(self.id), PORT)
        self._port = self.site.lan.attach(self.id, (own,), self._receive)
        self._number = 1
        self._send(1)

    async def _stop(self, *, goodbye: bool) -> None:
        self._port.close()

    def _send(self, number: int) -> None:
        if number == self._number <= LAST:
            self._port.send(number.to_bytes(2, "big"), Endpoint(self.site.lan.host_of("receiver"), PORT))
            self.site.clock.call_later(RETRY_US, lambda: self._send(number))

    def _receive(self, flight: Flight) -> None:
        if int.from_bytes(flight.payload, "big") == self._number:
            self._number += 1
            self._send(self._number)


class ReceiverSettings(Settings):
    """Whether the bug is mended."""

    remembers: bool = False


@accessory("planted-receiver")
class PlantedReceiver(Accessory):
    """Carries out every number, and acknowledges it."""

    settings_model: ClassVar[type[Settings]] = ReceiverSettings
    settings: ReceiverSettings

    async def _start(self) -> None:
        own = Endpoint(self.site.lan.host_of(self.id), PORT)
        self._port = self.site.lan.attach(self.id, (own,), self._receive)
        self._done: list[int] = []

    async def _stop(self, *, goodbye: bool) -> None:
        self._port.close()

    def _receive(self, flight: Flight) -> None:
        number = int.from_bytes(flight.payload, "big")
        known = self._done if self.settings.remembers else self._done[-1:]
        if number not in known:
            status = "twice" if number in self._done else "once"
            self._done.append(number)
            self.emit(RequestReceived(protocol="planted", method="count", path=str(number), status=status), "lan")
        self._port.send(flight.payload, Endpoint(self.site.lan.host_of(flight.sender), PORT))


if __name__ == "__main__":
    from devices.cli.main import main

    sys.exit(main(sys.argv[1:]))

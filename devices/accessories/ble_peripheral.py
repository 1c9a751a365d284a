"""A Bluetooth LE peripheral whose adverts, GATT table and manner of pairing the home file declares.

A kind of its own is a subclass: `services()` says the table, `run_at_interval` what happens every so often.
Source: Core Specification 5.4, Vol 3, Parts C, G and H.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from devices.accessories.base import Accessory
from devices.accessories.ble_lies import BLE_LIES, OtherName, RotatesAddress, misbehaviour
from devices.accessories.ble_owner import BleOwner
from devices.accessories.ble_settings import BleSettings
from devices.accessories.registry import accessory
from devices.actor import Site, verb
from devices.ble_events import PairingCompleted, PairingFailed
from devices.bluetooth.adverts import adverts
from devices.bluetooth.tables import LONGEST_VALUE, ServiceTable
from devices.errors import ActionRefusedError, HostError, UsageError
from devices.sim.clock import Timer
from devices.spec import closest, duration_us
from pairing.engine import Event, Micros

if TYPE_CHECKING:
    from devices.bluetooth.gatt_table import GattValue
    from devices.bluetooth.station import Station


_ROTATION = "rotates-address"


@accessory("ble-peripheral")
class BlePeripheral(Accessory):
    """Powered on, it advertises; connected, it serves its table; its bonds survive power and restarts."""

    settings_model = BleSettings
    settings: BleSettings
    lies = BLE_LIES
    interval: str | None = None
    """How often `run_at_interval` is called while it is powered, such as `1s`."""

    def __init__(self, site: Site, actor_id: str, name: str, settings: BleSettings) -> None:
        super().__init__(site, actor_id, name, settings)
        chance = self.chance
        drawn = bytearray(chance.randbytes(6))
        drawn[0] |= 0xC0  # a static random address has its two highest bits set
        if settings.address_type == "public":
            drawn[0] = drawn[0] & 0x3C | 0x02
        self.address = settings.address or drawn.hex(":").upper()
        self.owner = BleOwner(settings.pairing, site.ble, chance, self._tell)
        self._bonds: dict[str, Any] = {}
        self._values: dict[str, str] = {}
        self._station: Station | None = None
        self._timers: dict[str, Timer] = {}
        self._turns: dict[str, int] = {}

    # What it is

    def services(self) -> Sequence[ServiceTable]:
        """The GATT table; a kind of its own returns its own."""
        return self.settings.service

    def run_at_interval(self) -> None:
        """Called every `interval`; a kind of its own changes values here, with `put`."""

    @property
    def state(self) -> str:
        """`off`, `advertising`, `connected` or `hidden`."""
        if self._station is None:
            return "off"
        if self._station.is_connected():
            return "connected"
        return "advertising" if self._station.is_advertised else "hidden"

    @property
    def endpoints(self) -> Mapping[str, str]:
        """`ble`: its address now."""
        return {"ble": self.address if self._station is None else self._station.address}

    @property
    def shows(self) -> Mapping[str, str]:
        """`code`: the passkey while it is on the display."""
        return {} if self.owner.shown_code is None else {"code": self.owner.shown_code}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Address, values in hex by characteristic, and with whom it is bonded."""
        return {
            "address": self.address,
            "address_type": self.settings.address_type,
            "values": {name: kept.value.hex() for name, kept in self._kept().items()},
            "bonded": [each.removesuffix("/P") for each in sorted(self.bonds)],
        }

    # Power

    async def _start(self) -> None:
        try:
            from devices.bluetooth.station import Station, StationSettings  # Bumble: only where there is Bluetooth
        except ImportError as problem:
            raise HostError(
                f"accessory {self.id!r} needs Bumble ({problem.name} is missing): pip install 'pairlab[ble]'"
            ) from None
        settings = self.settings
        self._station = Station(
            self.site.ble,
            StationSettings(
                self.id,
                self.name,
                self.address,
                settings.address_type == "random",
                settings.mtu,
                settings.pairing.method,
                settings.pairing.bond,
                settings.max_connections,
            ),
            self.owner,
            self._tell,
            (self.site.chance.stream(f"ble/radio/{self.id}"), self.site.chance.stream(f"ble/host/{self.id}")),
            self._bonds,
        )
        await self._station.open(self.services())
        self._station.misbehave(misbehaviour(self.told_lies, self.lie_told))
        for name, kept in self._kept().items():
            if name in self._values:
                kept.value = bytes.fromhex(self._values[name])
            if kept.table.notify is not None:
                self._arm(name, duration_us(kept.table.notify.every))
        if self.interval is not None:
            self._arm("", duration_us(self.interval))
        await self._advertise()
        self._rotate_by_lie()

    async def _stop(self, *, goodbye: bool) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        station, self._station = self._station, None
        if station is not None:
            self._bonds = station.bonds
            self._values = {name: kept.value.hex() for name, kept in station.table.values.items()}
            await station.close(goodbye=goodbye)

    async def _advertise(self) -> None:
        from devices.bluetooth.station import AdvertSettings

        table = self.settings.advert
        data, scan_response = self.advert()
        if "other-name" in self.told_lies:
            self.lie_told("other-name", self._on().address)
        interval = duration_us(table.interval)
        await self._on().advertise(AdvertSettings(data, scan_response, interval, table.connectable))

    def advert(self) -> tuple[bytes, bytes]:
        """The advert and scan response now."""
        lie = self.told_lies.get("other-name")
        name = lie.name if isinstance(lie, OtherName) else self.name
        try:
            return adverts(self.settings.advert, name, [each.uuid for each in self.services()])
        except UsageError as problem:
            raise UsageError(f"accessory {self.id!r}: {problem}") from None

    # Lies

    def start_lie(self, kind: str, parameters: Mapping[str, Any]) -> None:
        """Tell a lie from now on; one of the advert is on the air at once."""
        super().start_lie(kind, parameters)
        self._readvertise(kind)

    def stop_lie(self, kind: str) -> None:
        """Tell the truth again."""
        super().stop_lie(kind)
        self._readvertise(kind)
        if kind == "rotates-address" and self._station is not None:
            self._timers.pop(_ROTATION).cancel()
            self._station.begin(self._go_under(private=False))

    def _lies_changed(self) -> None:
        if self._station is not None:
            self._station.misbehave(misbehaviour(self.told_lies, self.lie_told))

    def _readvertise(self, kind: str) -> None:
        if self._station is None:
            return
        if kind == "other-name" and self._station.is_advertised:
            self._station.begin(self._advertise())
        elif kind == "rotates-address":
            self._rotate_by_lie()

    def _rotate_by_lie(self) -> None:
        lie = self.told_lies.get("rotates-address")
        if isinstance(lie, RotatesAddress):
            every = duration_us(lie.every)
            self._timers[_ROTATION] = self.site.clock.call_later(every, self._rotate)

    def _rotate(self) -> None:
        self._on().begin(self._go_under(private=True))
        self._rotate_by_lie()

    async def _go_under(self, *, private: bool) -> None:
        address = await self._on().change_address(private=private)
        if private:
            self.lie_told("rotates-address", address)

    def dump_state(self) -> Mapping[str, Any]:
        """Its bonds."""
        return {"bonds": self.bonds}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up its bonds."""
        self._bonds = dict(state.get("bonds", {}))

    @property
    def bonds(self) -> Mapping[str, Any]:
        """The keys of each bond by address: secret."""
        return self._bonds if self._station is None else self._station.bonds

    # Values

    def put(self, characteristic: str, value: bytes) -> None:
        """Set a value and tell it to whoever has subscribed. Raises UsageError for an unknown name."""
        kept = self._value(characteristic)
        kept.value = value
        self._on().tell_soon(kept)

    def value(self, characteristic: str) -> bytes:
        """A value as it is now. Raises UsageError for an unknown name."""
        return self._value(characteristic).value

    def _kept(self) -> Mapping[str, "GattValue"]:
        return {} if self._station is None else self._station.table.values

    def _value(self, name: str) -> "GattValue":
        known = self._kept()
        short = [each for each in known if each.split("/")[1] == name.lower()]
        found = name.lower() if name.lower() in known else short[0] if len(short) == 1 else None
        if found is None:
            raise UsageError(f"{self.id} has no characteristic {name!r}{closest(name, known)}; it has {list(known)}")
        return known[found]

    def _arm(self, name: str, every: Micros) -> None:
        self._timers[name] = self.site.clock.call_later(every, lambda: self._due(name, every))

    def _due(self, name: str, every: Micros) -> None:
        self._arm(name, every)
        if not name:
            self.run_at_interval()
            return
        kept = self._kept()[name]
        values = kept.table.notify.values if kept.table.notify is not None else []
        if values:
            turn = self._turns.get(name, 0)
            self._turns[name] = turn + 1
            kept.value = bytes.fromhex(values[turn % len(values)])
        self._on().tell_soon(kept)

    def _tell(self, event: Event) -> None:
        if isinstance(event, PairingCompleted | PairingFailed):
            self.owner.attempt_over()
        self.emit(event, "ble")

    def _on(self) -> "Station":
        if self._station is None:
            raise ActionRefusedError(f"{self.id} is off")
        return self._station

    # Verbs

    @verb("advertise")
    async def _do_advertise(self) -> None:
        """Advertise, after `hide`."""
        await self._advertise()

    @verb("hide")
    async def _do_hide(self) -> None:
        """Stop advertising; who is connected stays so."""
        await self._on().hide()

    @verb("notify")
    async def _do_notify(self, characteristic: str, value: str) -> None:
        """Set a value (hex) and tell it to whoever has subscribed."""
        try:
            octets = bytes.fromhex(value)
        except ValueError:
            raise UsageError(f"a value is octets in hex, not {value!r}") from None
        if len(octets) > LONGEST_VALUE:
            raise UsageError(f"an attribute has at most {LONGEST_VALUE} octets, not {len(octets)}")
        self.put(characteristic, octets)

    @verb("accept")
    async def _do_accept(self, code: str | None = None) -> dict[str, str]:
        """Say yes to whoever waits to be paired; `code` where it asks for the number on the other side."""
        return {"peer": self.owner.settle(accepted=True, code=code)}

    @verb("reject")
    async def _do_reject(self) -> dict[str, str]:
        """Say no to whoever waits to be paired."""
        return {"peer": self.owner.settle(accepted=False, code=None)}

    @verb("disconnect")
    async def _do_disconnect(self) -> dict[str, int]:
        """Part with every central."""
        return {"disconnected": await self._on().disconnect()}

    @verb("forget")
    async def _do_forget(self) -> dict[str, int]:
        """Forget every bond, as after a factory reset; the other sides still remember."""
        if self._station is None:
            forgotten, self._bonds = len(self._bonds), {}
            return {"forgotten": forgotten}
        return {"forgotten": self._station.forget_bonds("told")}

    @verb("factory-reset")
    async def _do_factory_reset(self) -> None:
        """Forget bonds and values, and start again."""
        await self.power_off(goodbye=False)
        self._bonds, self._values = {}, {}
        await self.power_on()

"""A Bluetooth LE central of the home: what a person with a phone or a hub does to accessories, as verbs.

On virtual time it is the party that a scenario needs beside its accessories; programs come in by the doors. What the
other side refuses is a result with a verdict. Source: Core Specification 5.4, Vol 3, Parts C, G and H.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from devices.accessories.base import Accessory, Settings
from devices.accessories.ble_owner import BleOwner
from devices.accessories.ble_settings import BlePairingTable
from devices.accessories.registry import accessory
from devices.actor import Actor, Site, verb
from devices.ble_events import PairingCompleted, PairingFailed
from devices.bluetooth.adverts import read_advert
from devices.errors import ActionRefusedError, HostError, UsageError
from devices.spec import Duration, closest, duration_us
from pairing.engine import MILLISECOND, Event, Micros, PeerDiscovered

if TYPE_CHECKING:
    from bumble.device import Advertisement

    from devices.bluetooth.home_central import HomeCentral

_MEDIUM = "ble"
_LOOK: Micros = 100 * MILLISECOND


class BleCentralSettings(Settings):
    """A central."""

    pairing: BlePairingTable = Field(BlePairingTable(method="keyboard-and-display"))


class _Person(BleOwner):
    """Reads what accessories of the home show, and lets them read what the central shows."""

    def __init__(self, actor: "BleCentral", table: BlePairingTable) -> None:
        super().__init__(table, actor.site.ble, actor.chance, lambda event: actor.emit(event, _MEDIUM))
        self._actor = actor
        self.typed_code: int | None = None
        """What somebody said to type, instead of what is to be seen."""

    async def typed(self, peer: str) -> int | None:
        """A person looks first: the other side shows its number a moment later than this side asks for it."""
        await self._actor.site.clock.sleep(_LOOK)
        return await super().typed(peer)

    def seen(self, peer: str) -> int | None:
        """The number on the display of the accessory at that address."""
        if self.typed_code is not None:
            return self.typed_code
        for each in self._actor.site.others():
            if isinstance(each, Accessory) and each.endpoints.get("ble") == peer and each.shows.get("code"):
                return int(each.shows["code"])
        return None

    def shown(self, peer: str, number: int) -> None:
        """The number that the accessory's owner has to type."""
        super().shown(peer, number)
        self._actor.site.ble.passkeys[self._actor.address] = number


@accessory("ble-central")
class BleCentral(Accessory):
    """One host, one connection at a time; its bonds survive power and restarts."""

    settings_model = BleCentralSettings
    settings: BleCentralSettings

    def __init__(self, site: Site, actor_id: str, name: str, settings: BleCentralSettings) -> None:
        super().__init__(site, actor_id, name, settings)
        self.owner = _Person(self, settings.pairing)
        self._central: HomeCentral | None = None
        self._bonds: dict[str, Any] = {}

    # What one can see

    @property
    def state(self) -> str:
        """`off`, `on` or `connected`."""
        return "connected" if self._central is not None and self._central.peer else super().state

    @property
    def address(self) -> str:
        """Its own."""
        return "" if self._central is None else self._central.address

    @property
    def endpoints(self) -> Mapping[str, str]:
        """`ble`: its address."""
        return {} if self._central is None else {"ble": self.address}

    @property
    def shows(self) -> Mapping[str, str]:
        """`code`: the passkey while it is on the display."""
        return {} if self.owner.shown_code is None else {"code": self.owner.shown_code}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Whom it is connected to, and with whom it is bonded."""
        central = self._central
        bonds = self._bonds if central is None else central.bonds
        return {
            "peer": None if central is None else central.peer,
            "bonded": [each.removesuffix("/P") for each in sorted(bonds)],
        }

    # Power

    async def _start(self) -> None:
        try:
            from devices.bluetooth.home_central import HomeCentral  # Bumble: only where there is Bluetooth
        except ImportError as problem:
            raise HostError(
                f"accessory {self.id!r} needs Bumble ({problem.name} is missing): pip install 'pairlab[ble]'"
            ) from None
        stream = self.site.chance.stream
        chances = (stream(f"ble/radio/{self.id}"), stream(f"ble/host/{self.id}"))
        method = self.settings.pairing.method
        self._central = HomeCentral(self.site.ble, self.id, self._tell, self.owner, method, chances, self._bonds)
        await self._central.open()

    async def _stop(self, *, goodbye: bool) -> None:
        central, self._central = self._central, None
        if central is not None:
            self._bonds = central.bonds
            await central.close(goodbye=goodbye)

    def dump_state(self) -> Mapping[str, Any]:
        """Its bonds."""
        return {"bonds": self._bonds if self._central is None else self._central.bonds}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up its bonds."""
        self._bonds = dict(state.get("bonds", {}))

    def _tell(self, event: Event) -> None:
        if isinstance(event, PairingCompleted | PairingFailed):
            self.owner.attempt_over()
            self.site.ble.passkeys.pop(self.address, None)
        self.emit(event, _MEDIUM)

    # Whom and what is meant

    def _on(self) -> "HomeCentral":
        if self._central is None:
            raise ActionRefusedError(f"{self.id} is switched off")
        return self._central

    def _address_of(self, target: str, address: str) -> str:
        if address:
            return address
        found: dict[str, Actor] = {each.id: each for each in self.site.others() if each is not self}
        places: dict[str, str] = {
            name: place for name, each in found.items() if (place := getattr(each, "endpoints", {}).get("ble"))
        }
        name = target or (next(iter(places)) if len(places) == 1 else "")
        if name not in places:
            raise UsageError(f"target: one of {list(places)}, not {target!r}{closest(target, places)}")
        return places[name]

    def _characteristic(self, name: str) -> tuple[str, Any]:
        known = self._on().characteristics()
        short = [each for each in known if each.split("/")[1] == name.lower()]
        found = name.lower() if name.lower() in known else short[0] if len(short) == 1 else None
        if found is None:
            raise UsageError(f"the peer has no characteristic {name!r}{closest(name, known)}; it has {list(known)}")
        return found, known[found]

    # Verbs

    @verb("scan")
    async def _do_scan(self, duration: Duration = "2s") -> dict[str, Any]:
        """Listen for adverts for a while; each accessory that is heard is an event and a row."""
        found: dict[str, dict[str, Any]] = {}

        def heard(advertisement: "Advertisement") -> None:
            address = str(advertisement.address).removesuffix("/P")
            seen = read_advert(bytes(advertisement.data))
            row = found.setdefault(address, {"address": address, "name": None, "services": [], "rssi": 0})
            row["rssi"] = advertisement.rssi
            row["name"] = seen.name or row["name"]
            row["services"] = [*row["services"], *(each for each in seen.services if each not in row["services"])]

        await self._on().scan(duration_us(duration), heard)
        for address, row in found.items():
            info = {"name": row["name"] or "", "rssi": str(row["rssi"])}
            self.emit(PeerDiscovered(peer=address, service=",".join(row["services"]), info=info), _MEDIUM)
        return {"found": list(found.values())}

    @verb("connect")
    async def _do_connect(self, target: str = "", address: str = "", patience: Duration = "10s") -> dict[str, Any]:
        """Connect to an accessory of the home, or to an address, and find what it has."""
        place = self._address_of(target, address)
        return await self._tried(self._connected(place, duration_us(patience)))

    async def _connected(self, place: str, patience: int) -> dict[str, Any]:
        central = self._on()
        if central.peer is not None:
            raise ActionRefusedError(f"{self.id} is connected to {central.peer}")
        await central.connect(place, patience)
        return {"peer": place, "characteristics": list(central.characteristics())}

    @verb("disconnect")
    async def _do_disconnect(self) -> dict[str, Any]:
        """Part with the accessory."""
        return await self._tried(self._nothing(self._on().disconnect()))

    @verb("pair")
    async def _do_pair(self, code: str | None = None) -> dict[str, Any]:
        """Pair with the accessory that it is connected to, or encrypt with the bond there is. `code`: what is typed."""
        if code is not None and not (code.isascii() and code.isdigit() and len(code) == 6):
            raise UsageError(f"code is six digits, not {code!r}")
        self.owner.typed_code = None if code is None else int(code)
        return await self._tried(self._nothing(self._on().pair()))

    @verb("read")
    async def _do_read(self, characteristic: str) -> dict[str, Any]:
        """Read a value, by `service/characteristic` or the characteristic's UUID alone."""
        return await self._tried(self._read(characteristic))

    async def _read(self, characteristic: str) -> dict[str, Any]:
        name, found = self._characteristic(characteristic)
        return {"characteristic": name, "value": (await self._on().read(found)).hex()}

    @verb("write")
    async def _do_write(self, characteristic: str, value: str, response: bool = True) -> dict[str, Any]:
        """Write a value (hex)."""
        try:
            octets = bytes.fromhex(value)
        except ValueError:
            raise UsageError(f"a value is octets in hex, not {value!r}") from None
        return await self._tried(self._write(characteristic, octets, with_response=response))

    async def _write(self, characteristic: str, octets: bytes, *, with_response: bool) -> dict[str, Any]:
        name, found = self._characteristic(characteristic)
        await self._on().write(found, octets, with_response=with_response)
        return {"characteristic": name}

    @verb("subscribe")
    async def _do_subscribe(self, characteristic: str) -> dict[str, Any]:
        """Have every new value told."""
        return await self._tried(self._subscribe(characteristic))

    async def _subscribe(self, characteristic: str) -> dict[str, Any]:
        name, found = self._characteristic(characteristic)
        await self._on().subscribe(found, name)
        return {"characteristic": name}

    @verb("unsubscribe")
    async def _do_unsubscribe(self, characteristic: str) -> dict[str, Any]:
        """Have no more values told."""
        return await self._tried(self._unsubscribe(characteristic))

    async def _unsubscribe(self, characteristic: str) -> dict[str, Any]:
        name, found = self._characteristic(characteristic)
        await self._on().unsubscribe(found)
        return {"characteristic": name}

    @verb("accept")
    async def _do_accept(self, code: str | None = None) -> dict[str, str]:
        """Say yes to whatever waits; `code` where it asks for the number on the other side."""
        return {"peer": self.owner.settle(accepted=True, code=code)}

    @verb("reject")
    async def _do_reject(self) -> dict[str, str]:
        """Say no to whatever waits."""
        return {"peer": self.owner.settle(accepted=False, code=None)}

    @verb("forget")
    async def _do_forget(self) -> dict[str, int]:
        """Forget every bond; the other sides still remember."""
        return {"forgotten": self._on().forget_bonds()}

    async def _nothing(self, work: Any) -> dict[str, Any]:
        await work
        return {}

    async def _tried(self, work: Any) -> dict[str, Any]:
        from devices.bluetooth.home_central import CentralRefusedError

        try:
            return {"outcome": "done", "value": await work}
        except CentralRefusedError as problem:
            verdict = {"rule": problem.rule, "expected": problem.expected, "came": problem.came}
            return {"outcome": "refused", "verdict": verdict}

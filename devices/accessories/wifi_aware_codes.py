"""The codes of a Wi-Fi Aware accessory: what it shows while pair setup is open, and what its owner types.

A person reads the code off one device and types it into the other: `read_off` is that look, within one home.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from devices.accessories.wifi_aware_settings import PairingTable
from devices.actor import Site
from devices.sim.chance import Stream
from pairing.nan.attributes import BootstrappingMethods

_M = BootstrappingMethods
KINDS: Mapping[BootstrappingMethods, str] = {
    _M.PIN_DISPLAY: "pin",
    _M.PIN_KEYPAD: "pin",
    _M.PASSPHRASE_DISPLAY: "passphrase",
    _M.PASSPHRASE_KEYPAD: "passphrase",
    _M.QR_DISPLAY: "qr",
    _M.QR_SCAN: "qr",
    _M.NFC_TAG: "nfc",
    _M.NFC_READER: "nfc",
    _M.SERVICE_MANAGED: "passphrase",
}
"""What kind of code a method is about; others have none."""
SHOWN = _M.PIN_DISPLAY | _M.PASSPHRASE_DISPLAY | _M.QR_DISPLAY | _M.NFC_TAG | _M.SERVICE_MANAGED
"""Methods in which this side has the code, and shows it."""
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
"""Without what is mistaken for something else when read aloud."""
_WRONG = "000000"


@dataclass(frozen=True, slots=True)
class Code:
    """One code that can be read off."""

    kind: str
    text: str = field(repr=False)


class Codes:
    """The codes of one opening. A PIN that is drawn is never 000000, so that this is always a wrong one."""

    def __init__(self, table: PairingTable, methods: BootstrappingMethods, service: str, chance: Stream) -> None:
        self._table = table
        self._methods = methods & SHOWN
        self._service = service
        self._chance = chance
        self._codes: dict[str, str] = {}

    def draw(self) -> tuple[Code, ...]:
        """New codes, but for those that the file fixes."""
        kinds = dict.fromkeys(KINDS[method] for method in _members(self._methods))
        self._codes = {kind: self._new(kind) for kind in kinds}
        return tuple(Code(kind, text) for kind, text in self._codes.items())

    def hide(self) -> None:
        """Nothing is shown any more, and no code is valid."""
        self._codes.clear()

    @property
    def shown(self) -> Mapping[str, str]:
        """`code`: what a person would type, the PIN where there is one; other kinds under their names too."""
        first = next(iter(self._codes.values()), None)
        if first is None:
            return {}
        return {"code": first, **{kind: text for kind, text in self._codes.items() if kind != "pin"}}

    def for_method(self, method: BootstrappingMethods) -> str | None:
        """The password of a method in which we have the code; without a method agreed on, the first."""
        if not method:
            return next(iter(self._codes.values()), None)
        return self._codes.get(KINDS.get(method, "")) if method & SHOWN else None

    def _new(self, kind: str) -> str:
        if kind == "pin":
            return self._table.pin or f"{self._chance.randrange(1, 1_000_000):06d}"
        text = self._table.passphrase or draw_passphrase(self._chance)
        # Whoever scans gets the whole payload, which is the password; it says what it is for.
        return f"NAN:{self._service};{text}" if kind in ("qr", "nfc") else text


def draw_passphrase(chance: Stream) -> str:
    """Twelve characters, sixty bits."""
    return "".join(chance.choices(_ALPHABET, k=12))


class Typist:
    """The owner of an accessory without a display of its own: types what the other device shows, or something else."""

    def __init__(self, habit: str) -> None:
        self.habit = habit
        self._has_erred = False

    def type(self, right: str | None) -> str | None:
        """The next code; None if the owner types nothing, or sees nothing to type."""
        match self.habit:
            case "none":
                return None
            case "wrong":
                return _wrong(right)
            case "wrong-then-right":
                if not self._has_erred:
                    self._has_erred = True
                    return _wrong(right)
                return right
            case "right":
                return right
        return self.habit


def _wrong(right: str | None) -> str:
    return _WRONG if right != _WRONG else "111111"


def read_off(site: Site, nmi: bytes, kind: str) -> str | None:
    """The code of that kind that the device at that address shows now, in this home."""
    shown = shown_by(site, nmi)
    return shown.get(kind) or shown.get("code")


def shown_by(site: Site, nmi: bytes) -> Mapping[str, str]:
    """All that the device at that address shows now; nothing for a foreign one."""
    owner = site.air.actor_at(nmi)
    return next((dict(getattr(each, "shows", {})) for each in site.others() if each.id == owner), {})


def _members(methods: BootstrappingMethods) -> Iterable[BootstrappingMethods]:
    return [each for each in BootstrappingMethods if each and each & methods]

"""The kinds of Bluetooth LE accessories that come with pairlab, one of an author's own, and the example home."""

import asyncio
import struct
from pathlib import Path
from typing import Any

import pytest
from bumble.profiles.heart_rate_service import HeartRateService

from devices.accessories.ble_peripheral import BlePeripheral
from devices.accessories.registry import accessory
from devices.bluetooth.adverts import read_advert
from devices.bluetooth.tables import CharacteristicTable, ServiceTable
from devices.errors import UsageError
from devices.home.live import LiveHome
from tests.support.ble_home import Central, run_home

ROOT = Path(__file__).parents[3]


@accessory("test-counter")
class Counter(BlePeripheral):
    """Counts."""

    interval = "1s"
    count = 0

    def services(self) -> list[ServiceTable]:
        return [ServiceTable(uuid="fff0", characteristic=[CharacteristicTable(uuid="fff1", properties=["notify"])])]

    def run_at_interval(self) -> None:
        self.count += 1
        self.put("fff1", bytes([self.count]))


def _home(kind: str, more: str = "") -> str:
    return f'[[accessory]]\nid = "it"\nkind = "{kind}"\nname = "It"\n{more}\n'


async def _news(home: LiveHome, uuid: str, seconds: int, *, notify: bool = True) -> list[bytes]:
    central = await Central.of(home)
    connection = await central.connect("it")
    found = await central.found(connection, uuid)
    news: list[bytes] = []
    await found.subscribe(news.append, prefer_notify=notify)
    await home.clock.sleep(seconds * 1_000_000 + 500_000)
    return news


def _told(tmp_path: Path, toml: str, uuid: str, seconds: int, *, notify: bool = True, seed: int = 1) -> list[bytes]:
    async def use(home: LiveHome) -> list[bytes]:
        return await _news(home, uuid, seconds, notify=notify)

    return run_home(tmp_path, toml, use, seed)


def test_a_battery_goes_down_and_is_charged_when_empty(tmp_path: Path) -> None:
    told = _told(tmp_path, _home("ble-battery", 'level = 2\nevery = "1s"'), "2a19", 4)
    assert told == [b"\x01", b"\x00", b"\x64", b"\x63"]


def test_a_strap_tells_rates_within_its_bounds_by_the_seed(tmp_path: Path) -> None:
    toml = _home("ble-heart-rate", "slowest = 70\nfastest = 75")
    told = _told(tmp_path, toml, "2a37", 20)
    read = [HeartRateService.HeartRateMeasurement.from_bytes(each) for each in told]
    assert len(read) == 20
    assert {70 <= each.heart_rate <= 75 for each in read} == {True}
    assert len({each.heart_rate for each in read}) > 2
    assert all(each.sensor_contact_detected for each in read)
    assert all(abs(60 / each.rr_intervals[0] - each.heart_rate) < 0.1 for each in read)
    assert _told(tmp_path, toml, "2a37", 20) == told
    assert _told(tmp_path, toml, "2a37", 20, seed=2) != told


def test_a_strap_says_where_it_is_worn(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> bytes:
        central = await Central.of(home)
        found = await central.found(await central.connect("it"), "2a38")
        return bytes(await found.read_value())

    assert run_home(tmp_path, _home("ble-heart-rate", 'location = "wrist"'), use) == b"\x02"


@pytest.mark.parametrize(("more", "flags", "near"), [("", 0x04, 36.6), ("fahrenheit = true", 0x05, 97.9)])
def test_a_thermometer_indicates_readings_near_each_other(tmp_path: Path, more: str, flags: int, near: float) -> None:
    told = _told(tmp_path, _home("ble-thermometer", more), "2a1c", 3, notify=False)
    assert len(told) == 3
    for each in told:
        told_flags, low, high, exponent, where = struct.unpack("<BHbbB", each)
        assert (told_flags, where) == (flags, 2)
        assert abs((high << 16 | low) * 10.0**exponent - near) < 1


def test_an_authors_own_kind_counts(tmp_path: Path) -> None:
    assert _told(tmp_path, _home("test-counter"), "fff1", 3) == [b"\x01", b"\x02", b"\x03"]


def test_the_example_home_comes_up_and_its_lock_can_be_matched(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> dict[str, Any]:
        await asyncio.sleep(0)
        lock = home.accessories["lock"]
        assert isinstance(lock, BlePeripheral)
        advert, response = (read_advert(each) for each in lock.advert())
        assert (advert.services, advert.manufacturer) == (("fff0",), {0xFFFF: b"\x01\x07"})
        assert (advert.service_data, response.name) == ({"fff0": b"\x01"}, "Example Lock 7")
        return {name: each.state for name, each in home.accessories.items()}

    states = run_home(tmp_path, (ROOT / "specs" / "homes" / "ble.toml").read_text(), use)
    assert states == dict.fromkeys(("battery", "strap", "thermometer", "lock"), "advertising")


@pytest.mark.parametrize(
    ("count", "said"), [(300, "a structure of an advert has 254 octets at most"), (20_000, "65500 handles at most")]
)
def test_a_table_that_is_too_large_is_refused_in_words(tmp_path: Path, count: int, said: str) -> None:
    characteristic = "characteristic = [{ uuid = 'fff1', properties = ['notify'] }]"
    services = "".join(f"[[accessory.service]]\nuuid = '{0x2000 + at:04x}'\n{characteristic}\n" for at in range(count))
    with pytest.raises(UsageError, match=said):
        run_home(tmp_path, f"[[accessory]]\nkind = 'ble-peripheral'\nid = 'lamp'\n{services}", _nothing)


async def _nothing(home: LiveHome) -> None:
    assert home


def test_a_name_ends_where_hosts_see_its_end() -> None:
    assert read_advert(bytes.fromhex("0509") + b"a\x00bc").name == "a"

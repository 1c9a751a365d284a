"""What goes wrong on Bluetooth, on virtual time: lies of accessories, and wire faults on adverts and connections."""

import asyncio
from pathlib import Path

import pytest
from bumble.device import Advertisement, Peer

from devices.accessories.ble_peripheral import BlePeripheral
from devices.bluetooth.adverts import read_advert
from devices.home.live import LiveHome
from tests.support.ble_home import Central, run_home, told

SECOND = 1_000_000
HOME = """
[[accessory]]
id = "thermo"
kind = "ble-peripheral"
name = "Thermo"
lies = [{lie}]
[[accessory.service]]
uuid = "180f"
[[accessory.service.characteristic]]
uuid = "2a19"
properties = ["read", "notify"]
number = 100
notify = {{ every = "1s", values = ["63", "62", "61", "60"] }}
"""
WIRE = HOME.format(lie="") + '[[fault]]\ntarget = "thermo"\nmedium = "ble"\n'


async def _heard(home: LiveHome, central: Central, seconds: int) -> list[tuple[int, str, str | None]]:
    heard: list[tuple[int, str, str | None]] = []

    def hear(advert: Advertisement) -> None:
        heard.append((home.clock.now(), str(advert.address), read_advert(bytes(advert.data)).name))

    central.device.on("advertisement", hear)
    await central.device.start_scanning(active=True, filter_duplicates=False)
    await home.clock.sleep(seconds * SECOND)
    await central.device.stop_scanning()
    return heard


async def _news(home: LiveHome, seconds: int) -> list[tuple[int, bytes]]:
    central = await Central.of(home)
    level = await central.found(await central.connect("thermo"), "2a19")
    news: list[tuple[int, bytes]] = []
    await level.subscribe(lambda value: news.append((home.clock.now() // SECOND, bytes(value))))
    await home.clock.sleep(seconds * SECOND)
    return news


def _fired(home: LiveHome) -> set[str]:
    return {each["kind"] for each in told(home, "FaultFired")}


def test_it_parts_instead_of_answering_a_read(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        central = await Central.of(home)
        level = await central.found(await central.connect("thermo"), "2a19")
        with pytest.raises(asyncio.CancelledError):
            await level.read_value()
        await home.clock.sleep(SECOND)
        assert len(told(home, "Disconnected")) == 1
        assert not central.device.connections
        assert not told(home, "CharacteristicRead")
        assert _fired(home) == {"parts-on-read"}

    run_home(tmp_path, HOME.format(lie='"parts-on-read"'), use)


def test_it_agrees_to_the_smallest_mtu(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> int:
        central = await Central.of(home)
        mtu: int = await Peer(await central.connect("thermo")).request_mtu(247)
        await home.clock.sleep(SECOND)
        assert _fired(home) == {"small-mtu"}
        return mtu

    assert run_home(tmp_path, HOME.format(lie='"small-mtu"'), use) == 23


@pytest.mark.parametrize(
    ("lie", "news"),
    [
        ('{ kind = "slow-news", delay = "2s" }', [(3, b"c"), (4, b"b")]),
        ('{ kind = "batched-news", hold = "3s" }', [(4, b"c"), (4, b"b"), (4, b"a")]),
        ('{ kind = "batched-news", hold = "3s", lost = true }', []),
        ('"early-news"', [(0, b"d"), (1, b"c"), (2, b"b"), (3, b"a"), (4, b"`")]),
    ],
)
def test_news_comes_late_in_order_or_never(tmp_path: Path, lie: str, news: list[tuple[int, bytes]]) -> None:
    async def use(home: LiveHome) -> list[tuple[int, bytes]]:
        heard = await _news(home, 4)
        assert len(_fired(home)) == 1
        return heard

    assert run_home(tmp_path, HOME.format(lie=lie), use) == news


def test_early_news_is_there_before_the_answer_to_the_subscription(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> list[str]:
        central = await Central.of(home)
        level = await central.found(await central.connect("thermo"), "2a19")
        order: list[str] = []
        answer = central.device.host.on_packet

        def on_packet(packet: bytes) -> None:
            order.extend({0x1B: "news", 0x13: "answer"}.get(packet[9], "") for _ in "." if packet[0] == 2)
            answer(packet)

        central.device.host.on_packet = on_packet
        await level.subscribe(lambda _value: None)
        return order

    assert run_home(tmp_path, HOME.format(lie='"early-news"'), use) == ["", "news", "answer"]


def test_another_name_is_on_the_air_while_the_lie_lasts(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> list[set[str | None]]:
        thermo, central = home.accessories["thermo"], await Central.of(home)
        names = []
        thermo.start_lie("other-name", {"name": "Else"})
        names.append({name for _, _, name in await _heard(home, central, 1)})
        thermo.stop_lie("other-name")
        names.append({name for _, _, name in await _heard(home, central, 1)})
        return names

    assert run_home(tmp_path, HOME.format(lie=""), use) == [{"Else"}, {"Thermo"}]


def test_its_address_goes_round_and_each_is_connectable_and_resolves(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        thermo, central = home.accessories["thermo"], await Central.of(home)
        assert isinstance(thermo, BlePeripheral)
        first = thermo.endpoints["ble"]
        heard = [address for _, address, _ in await _heard(home, central, 5)]
        addresses = list(dict.fromkeys(heard))
        assert len(addresses) == 3
        assert addresses[0] == first
        assert [int(each[:2], 16) >> 6 for each in addresses] == [3, 1, 1]
        assert thermo.endpoints["ble"] == addresses[-1]
        await central.connect("thermo")
        thermo.stop_lie("rotates-address")
        await home.clock.sleep(SECOND)
        assert thermo.endpoints["ble"] == first
        assert _fired(home) == {"rotates-address"}

    run_home(tmp_path, HOME.format(lie='{ kind = "rotates-address", every = "2s" }'), use)


def test_lies_outlive_a_restart_of_the_accessory(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> int:
        await home.do("thermo", "restart")
        central = await Central.of(home)
        mtu: int = await Peer(await central.connect("thermo")).request_mtu(247)
        return mtu

    assert run_home(tmp_path, HOME.format(lie='"small-mtu"'), use) == 23


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        ('kind = "drop"', 0, 0),
        ('kind = "drop"\nprobability = 0.5', 12, 38),
        ('kind = "corrupt"', 0, 0),
        ('kind = "delay"\ndelay = "700ms"', 42, 50),
        ('kind = "duplicate"', 90, 104),
    ],
)
def test_wire_faults_act_on_adverts(tmp_path: Path, fault: str, least: int, most: int) -> None:
    async def use(home: LiveHome) -> int:
        return len(await _heard(home, await Central.of(home), 10))

    # At 200 ms there are about 49 in ten seconds.
    assert least <= run_home(tmp_path, WIRE + fault, use) <= most


def test_a_late_advert_is_late(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> int:
        return (await _heard(home, await Central.of(home), 3))[0][0]

    on_time = run_home(tmp_path, HOME.format(lie=""), use)
    late = run_home(tmp_path, WIRE + 'kind = "delay"\ndelay = "700ms"', use)
    assert late - on_time == 700_000


def test_half_of_the_packets_lost_loses_no_news(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> list[bytes]:
        return [value for _, value in await _news(home, 4)]

    news = run_home(tmp_path, WIRE + 'kind = "drop"\nprobability = 0.5\n', use)
    assert b"".join(news) in b"cba`cba`"
    assert len(news) >= 3

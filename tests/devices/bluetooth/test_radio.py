"""Bumble's own host on our controller: what real hosts stumble over in the emulated one."""

import asyncio
import hashlib

import pytest
from bumble.core import AdvertisingData, TimeoutError
from bumble.device import Connection, Device, Peer

from devices.faults.drop import Drop
from devices.media.medium import Flight
from tests.support.ble import BATTERY_LEVEL, Town

SERVICES = AdvertisingData.Type.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS


async def _heard(town: Town, central: Device, *, active: bool, for_us: int = 350_000, duplicates: bool = True) -> list:
    heard: list = []
    central.on("advertisement", heard.append)
    await central.start_scanning(active=active, filter_duplicates=not duplicates)
    await town.clock.sleep(for_us)
    await central.stop_scanning()
    return heard


@pytest.mark.parametrize(("active", "expected"), [(True, True), (False, False)])
def test_scan_responses_come_in_active_scans_only(active: bool, expected: bool) -> None:
    town = Town()

    async def scan() -> list:
        await town.advertising_battery()
        return await _heard(town, await town.device("central", 2), active=active)

    heard = town.run(scan())
    assert heard
    assert any(each.data.get(SERVICES) for each in heard) is expected


def test_a_scan_that_filters_duplicates_hears_each_advert_once() -> None:
    town = Town()

    async def scan() -> tuple[int, int]:
        await town.advertising_battery()
        central = await town.device("central", 2)
        many = await _heard(town, central, active=False)
        once = await _heard(town, central, active=False, duplicates=False)
        return len(many), len(once)

    many, once = town.run(scan())
    assert (many >= 3, once) == (True, 1)


def test_nobody_is_woken_while_nobody_listens() -> None:
    town = Town()

    async def wait() -> int:
        await town.advertising_battery()
        await town.clock.sleep(1_000)
        before = town.clock._sequence
        await town.clock.sleep(60_000_000)
        return town.clock._sequence - before

    assert town.run(wait()) == 1  # the sleep itself


async def _level(connection: Connection) -> bytes:
    peer = Peer(connection)
    await peer.discover_services()
    await peer.discover_characteristics()
    (level,) = peer.get_characteristics_by_uuid(BATTERY_LEVEL)
    return await level.read_value()


def test_a_central_connects_at_once_and_reads() -> None:
    town = Town()

    async def read() -> tuple[bytes, int]:
        battery = await town.advertising_battery(interval_ms=10_000)
        central = await town.device("central", 2)
        await town.clock.sleep(1_000_000)
        began = town.clock.now()
        connection = await central.connect(battery.random_address)
        waited = town.clock.now() - began
        value = await _level(connection)
        await connection.disconnect()
        await town.clock.sleep(10_000)
        assert town.medium.connections == []
        return value, waited

    value, waited = town.run(read())
    assert value == b"\x64"
    assert waited < 10_000


def test_an_attempt_that_times_out_leaves_the_central_able_to_connect() -> None:
    town = Town()

    async def connect() -> bytes:
        battery = await town.advertising_battery()
        central = await town.device("central", 2)
        with pytest.raises(TimeoutError):
            await central.connect("C4:00:00:00:00:77", timeout=1)
        return await _level(await central.connect(battery.random_address))

    assert town.run(connect()) == b"\x64"


def test_out_of_range_for_the_supervision_timeout_both_ends_are_disconnected() -> None:
    town = Town()

    async def part() -> list[tuple[str, int]]:
        battery = await town.advertising_battery()
        central = await town.device("central", 2)
        ended: list[tuple[str, int]] = []
        battery.on("connection", lambda each: each.on("disconnection", lambda why: ended.append(("battery", why))))
        connection = await central.connect(battery.random_address)
        connection.on("disconnection", lambda why: ended.append(("central", why)))
        town.medium.separate("battery", "central")
        await town.clock.sleep(10_000_000)
        town.medium.reunite("battery", "central")
        assert await _level(await central.connect(battery.random_address)) == b"\x64"
        return sorted(ended)

    assert town.run(part()) == [("battery", 8), ("central", 8)]


def test_out_of_range_for_a_moment_only_delays() -> None:
    town = Town()

    async def part() -> bytes:
        battery = await town.advertising_battery()
        central = await town.device("central", 2)
        connection = await central.connect(battery.random_address)
        town.medium.separate("battery", "central")
        reading = asyncio.ensure_future(_level(connection))
        await town.clock.sleep(300_000)
        assert not reading.done()
        town.medium.reunite("battery", "central")
        return await reading

    assert town.run(part()) == b"\x64"


class _Dropping:
    """Drops the first so many flights that carry data."""

    def __init__(self, count: int) -> None:
        self.left = count

    def apply(self, flight: Flight) -> tuple[Flight, ...]:
        if self.left and flight.sender == "central":
            self.left -= 1
            return tuple(Drop().apply(flight, None))  # type: ignore[arg-type]  # it needs no context
        return (flight,)


def test_what_the_air_loses_is_sent_again_until_the_supervision_timeout() -> None:
    town = Town()

    async def read(lost: int) -> bytes:
        battery = await town.advertising_battery()
        central = await town.device("central", 2)
        connection = await central.connect(battery.random_address)
        town.medium.rules.append(_Dropping(lost))
        return await _level(connection)

    assert town.run(read(5)) == b"\x64"


def test_a_bond_encrypts_again_and_one_seed_gives_the_same_bytes() -> None:
    def once(seed: int) -> str:
        town = Town(seed)
        digest = hashlib.sha256()

        async def pair() -> None:
            battery = await town.advertising_battery()
            central = await town.device("central", 2, lambda packet, _out: digest.update(packet))
            connection = await central.connect(battery.random_address)
            await connection.pair()
            await town.clock.sleep(100_000)
            await connection.disconnect()
            connection = await central.connect(battery.random_address)
            await connection.encrypt()
            assert connection.is_encrypted

        town.run(pair())
        return digest.hexdigest()

    assert once(3) == once(3)
    assert once(3) != once(4)

"""A Bluetooth LE accessory from a home file, read, written, subscribed to and paired with by Bumble's central."""

import asyncio
from pathlib import Path

import pytest
from bumble.att import ATT_Error
from bumble.core import ProtocolError

from devices.errors import ActionRefusedError, HomeFileError, UsageError
from devices.home.live import LiveHome
from tests.support.ble_home import Capability, Central, run_home, told

HOME = """
[[accessory]]
id = "thermo"
kind = "ble-peripheral"
name = "Thermometer"
pairing = {{ {pairing} }}
[[accessory.service]]
uuid = "180f"
[[accessory.service.characteristic]]
uuid = "2a19"
properties = ["read", "notify"]
number = 100
notify = {{ every = "1s", values = ["63", "62"] }}
[[accessory.service.characteristic]]
uuid = "2a3d"
properties = ["read", "write"]
security = "{security}"
text = "hi"
"""


def home_of(pairing: str = 'method = "just-works"', security: str = "open") -> str:
    return HOME.format(pairing=pairing, security=security)


def test_values_are_read_written_and_told_and_each_is_an_event(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        central = await Central.of(home)
        connection = await central.connect("thermo")
        level, name = await central.found(connection, "2a19"), await central.found(connection, "2a3d")
        assert (await level.read_value(), await name.read_value()) == (b"d", b"hi")
        await name.write_value(b"ho", with_response=True)
        news: list[tuple[bytes, int]] = []
        await level.subscribe(lambda value: news.append((value, home.clock.now() // 1_000_000)))
        await home.clock.sleep(2_500_000)
        await home.do("thermo", "notify", {"characteristic": "2a19", "value": "05"})
        await home.clock.sleep(10_000)
        assert news == [(b"c", 1), (b"b", 2), (b"\x05", 2)]
        assert home.accessories["thermo"].facts["values"] == {"180f/2a19": "05", "180f/2a3d": "686f"}
        events = told(home, "CharacteristicRead", "CharacteristicWritten", "Subscribed")
        assert [each["type"] for each in events] == [
            "CharacteristicRead",
            "CharacteristicRead",
            "CharacteristicWritten",
            "Subscribed",
        ]
        assert {each["medium"] for each in events} == {"ble"}

    run_home(tmp_path, home_of(), use)


def test_it_advertises_again_after_a_disconnection_and_not_while_hidden(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        thermo = home.accessories["thermo"]
        assert thermo.state == "advertising"
        central = await Central.of(home)
        connection = await central.connect("thermo")
        await home.clock.sleep(10_000)
        assert thermo.state == "connected"
        await connection.disconnect()
        await home.clock.sleep(10_000)
        await home.do("thermo", "hide")
        assert thermo.state == "hidden"
        await home.do("thermo", "advertise")
        await central.connect("thermo")
        await home.do("thermo", "disconnect")
        await home.clock.sleep(10_000)
        round_trip = ["Connected", "Hidden", "Disconnected", "Advertised"]
        assert [each["type"] for each in told(home, "Advertised", "Hidden", "Connected", "Disconnected")] == [
            "Advertised",
            *round_trip,
            "Hidden",
            "Advertised",
            *round_trip,
        ]

    run_home(tmp_path, home_of(), use)


def test_a_protected_value_is_refused_until_a_number_was_typed(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        thermo = home.accessories["thermo"]
        central = await Central.of(home, Capability.KEYBOARD_INPUT_ONLY, lambda: int(thermo.shows["code"]))
        connection = await central.connect("thermo")
        name = await central.found(connection, "2a3d")
        with pytest.raises(ATT_Error):
            await name.read_value()
        await connection.pair()
        assert await name.read_value() == b"hi"
        assert thermo.shows == {}
        (completed,) = told(home, "PairingCompleted")
        assert (completed["method"], completed["authenticated"]) == ("passkey-shown", True)
        assert "ltk" not in completed

    run_home(tmp_path, home_of('method = "passkey-shown"', "authenticated"), use)


def test_just_works_does_not_open_what_asks_for_authentication(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        central = await Central.of(home)
        connection = await central.connect("thermo")
        await connection.pair()
        with pytest.raises(ATT_Error):
            await (await central.found(connection, "2a3d")).read_value()

    run_home(tmp_path, home_of(security="authenticated"), use)


def test_a_wrong_number_fails_on_both_sides_and_the_right_one_pairs(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        thermo = home.accessories["thermo"]
        typed = iter([lambda shown: shown % 999_999 + 1, lambda shown: shown])
        central = await Central.of(home, Capability.KEYBOARD_INPUT_ONLY, lambda: next(typed)(int(thermo.shows["code"])))
        connection = await central.connect("thermo")
        with pytest.raises(ProtocolError):
            await connection.pair()
        await home.clock.sleep(10_000)
        (failed,) = told(home, "PairingFailed")
        assert (failed["error"], failed["cause"]) == ("AuthenticationError", "wrong-passkey")
        await connection.pair()
        await home.clock.sleep(100_000)
        assert len(told(home, "PairingCompleted")) == 1

    run_home(tmp_path, home_of('method = "passkey-shown"'), use)


def test_an_owner_who_refuses_ends_the_attempt(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        central = await Central.of(home)
        connection = await central.connect("thermo")
        with pytest.raises(ProtocolError):
            await connection.pair()
        assert [each["cause"] for each in told(home, "PairingFailed")] == ["rejected"]

    run_home(tmp_path, home_of('accept = "never"'), use)


def test_bonds_outlive_a_restart_and_a_forgotten_one_is_refused(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        central = await Central.of(home)
        connection = await central.connect("thermo")
        await connection.pair()
        await home.clock.sleep(100_000)
        await home.do("thermo", "restart")
        connection = await central.connect("thermo")
        await connection.encrypt()
        await home.clock.sleep(10_000)
        assert len(told(home, "PairingVerified")) == 1
        assert await home.do("thermo", "forget") == {"forgotten": 1}
        await connection.disconnect()
        await home.clock.sleep(10_000)
        connection = await central.connect("thermo")
        with pytest.raises(Exception, match="PIN_OR_KEY_MISSING"):
            await connection.encrypt()

    run_home(tmp_path, home_of(), use)


def test_a_seed_gives_the_same_address_and_events(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> list:
        central = await Central.of(home)
        connection = await central.connect("thermo")
        await connection.pair()
        return [each.as_json(secrets=True) for each in home.log.since()]

    assert run_home(tmp_path, home_of(), use) == run_home(tmp_path, home_of(), use)
    assert run_home(tmp_path, home_of(), use) != run_home(tmp_path, home_of(), use, seed=2)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('address = "C4:00:00"', "six octets"),
        ('pairing = { passkey = "000000" }', "take another"),
        ('advert = { data = "zz" }', "hex digits"),
        ('advert = { manufacturer = { apple = "00" } }', "four hex digits"),
        ('service = [{ uuid = "xyz" }]', "UUID"),
        (
            'service = [{ uuid = "180f", characteristic = [{ uuid = "2a19", value = "00", text = "a" }] }]',
            "one of value",
        ),
        ('service = [{ uuid = "180f", characteristic = [{ uuid = "2a19", number = 300 }] }]', "does not fit"),
        ("mtu = 20", "23"),
    ],
)
def test_bad_tables_are_refused_by_name(tmp_path: Path, line: str, says: str) -> None:
    async def nothing(home: LiveHome) -> None:
        raise AssertionError(home)

    with pytest.raises(HomeFileError, match=says):
        run_home(tmp_path, f'[[accessory]]\nid = "thermo"\nkind = "ble-peripheral"\n{line}\n', nothing)


def test_verbs_say_what_is_wrong(tmp_path: Path) -> None:
    async def use(home: LiveHome) -> None:
        with pytest.raises(UsageError, match="no characteristic"):
            await home.do("thermo", "notify", {"characteristic": "2a20", "value": "05"})
        with pytest.raises(UsageError, match="in hex"):
            await home.do("thermo", "notify", {"characteristic": "2a19", "value": "5"})
        with pytest.raises(ActionRefusedError, match="nobody asks"):
            await home.do("thermo", "accept")
        await home.do("thermo", "power-off")
        with pytest.raises(ActionRefusedError, match="is off"):
            await home.do("thermo", "hide")

    run_home(tmp_path, home_of(), use)


def test_power_may_go_at_any_moment_of_what_it_tells_its_radio(tmp_path: Path) -> None:
    escaped: list[object] = []

    async def work(home: LiveHome) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: escaped.append(context))
        for turns in range(12):
            sensor = home.accessories["sensor"]
            sensor.start_lie("other-name", {})
            for _ in range(turns):
                await asyncio.sleep(0)
            await home.do("sensor", "restart", {})
            sensor.stop_lie("other-name")
            await home.clock.sleep(1_000)

    run_home(tmp_path, '[[accessory]]\nid = "sensor"\nkind = "ble-peripheral"\n', work)
    assert escaped == []


def test_its_advert_and_its_address_may_change_at_once(tmp_path: Path) -> None:
    escaped: list[object] = []

    async def work(home: LiveHome) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: escaped.append(context))
        sensor = home.accessories["sensor"]
        for turns in range(12):
            sensor.start_lie("rotates-address", {"every": "1s"})
            await home.clock.sleep(1_000_000)
            for _ in range(turns):
                await asyncio.sleep(0)
            sensor.start_lie("other-name", {})
            sensor.stop_lie("other-name")
            sensor.stop_lie("rotates-address")
            await home.clock.sleep(500_000)
            assert sensor.endpoints["ble"] == sensor.facts["address"]
        assert told(home, "Advertised")[-1]["address"] == sensor.facts["address"]

    run_home(tmp_path, '[[accessory]]\nid = "sensor"\nkind = "ble-peripheral"\n', work)
    assert escaped == []

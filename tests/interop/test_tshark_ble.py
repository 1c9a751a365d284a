"""tshark reads what homes with Bluetooth record: every flow as btsnoop and pcapng, with no malformed frame."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from bumble.att import ATT_Error
from bumble.core import ProtocolError

from devices import Home
from devices.decode.captures import read_capture, summary_of
from devices.errors import UsageError
from devices.home.live import HomeOptions, LiveHome
from devices.sim import VirtualTimeLoop
from devices.sim.clock import Clock
from devices.spec import load_home
from devices.transcripts.btsnoop import to_btsnoop
from devices.transcripts.export import to_pcapng
from devices.transcripts.reader import Frame, Record, read_transcript
from devices.transcripts.recorder import Recorder
from devices.transcripts.summary import frame_summary
from tests.support.ble_home import Capability, Central
from tests.support.needs import requires_tools

pytestmark = pytest.mark.interop
HOME = """
[[accessory]]
id = "thermo"
kind = "ble-peripheral"
name = "Thermo"
advert = {{ name = "advert", manufacturer = {{ ffff = "0102" }} }}
pairing = {{ {pairing} }}
[[accessory.service]]
uuid = "180f"
[[accessory.service.characteristic]]
uuid = "2a19"
properties = ["read", "notify"]
number = 100
[[accessory.service.characteristic]]
uuid = "2a3d"
properties = ["read", "write"]
security = "{security}"
text = "hi"
"""
Story = Callable[[LiveHome], Awaitable[None]]


def _recorded(tmp_path: Path, story: Story, pairing: str = 'method = "just-works"', security: str = "open") -> bytes:
    path = tmp_path / "home.toml"
    path.write_text(HOME.format(pairing=pairing, security=security))
    loop = VirtualTimeLoop()
    out = BytesIO()

    async def live() -> None:
        clock = Clock(asyncio.get_running_loop(), virtual=True)
        recorder = Recorder(out.write, now=clock.now, seed=1)
        home = LiveHome(load_home(path), HomeOptions(virtual=True, seed=1), taps=[recorder])
        await home.start()
        await story(home)
        await home.clock.sleep(200_000)
        await home.stop()

    try:
        loop.run_until_complete(live())
    finally:
        loop.close()
    return out.getvalue()


def _records(transcript: bytes) -> list[Record]:
    return list(read_transcript(BytesIO(transcript)))


def _dissected(capture: Path, *fields: str) -> list[list[str]]:
    columns = [part for name in fields for part in ("-e", name)]
    command = ["tshark", "-r", str(capture), "-T", "fields", "-E", "separator=;", *columns]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.split(";") for line in done.stdout.splitlines()]


async def _uses(home: LiveHome) -> None:
    central = await Central.of(home)
    await central.device.start_scanning(active=True)
    await home.clock.sleep(500_000)
    await central.device.stop_scanning()
    connection = await central.connect("thermo")
    level, name = await central.found(connection, "2a19"), await central.found(connection, "2a3d")
    await level.read_value()
    await name.write_value(b"a longer name than one packet of 27 octets has room for", with_response=True)
    await level.subscribe(lambda _value: None)
    await home.do("thermo", "notify", {"characteristic": "2a19", "value": "05"})
    await home.clock.sleep(10_000)
    await connection.disconnect()


async def _pairs_as_before_4_2(home: LiveHome) -> None:
    central = await Central.of(home)
    config = central.device.pairing_config_factory
    central.device.pairing_config_factory = lambda connection: _legacy(config(connection))
    connection = await central.connect("thermo")
    await connection.pair()
    await (await central.found(connection, "2a3d")).read_value()


def _legacy(config: Any) -> Any:
    config.sc = False
    return config


def _pairs(capability: Capability, *, fails: bool = False) -> Story:
    async def story(home: LiveHome) -> None:
        thermo = home.accessories["thermo"]
        central = await Central.of(home, capability, lambda: int(thermo.shows.get("code", "123456")))
        connection = await central.connect("thermo")
        if fails:
            with pytest.raises(ProtocolError):
                await connection.pair()
            return
        name = await central.found(connection, "2a3d")
        with pytest.raises(ATT_Error):
            await name.read_value()
        await connection.pair()
        await name.read_value()
        await connection.disconnect()
        await home.clock.sleep(100_000)
        connection = await central.connect("thermo")
        await connection.encrypt()
        await home.clock.sleep(10_000)

    return story


FLOWS: dict[str, tuple[Story, str, str]] = {
    "scan, connect, read, write, notify": (_uses, 'method = "just-works"', "open"),
    "just works": (_pairs(Capability.NO_OUTPUT_NO_INPUT), 'method = "just-works"', "encrypted"),
    "passkey": (_pairs(Capability.KEYBOARD_INPUT_ONLY), 'method = "passkey-shown"', "authenticated"),
    "comparison": (
        _pairs(Capability.DISPLAY_OUTPUT_AND_YES_NO_INPUT),
        'method = "numeric-comparison"',
        "authenticated",
    ),
    "legacy pairing": (_pairs_as_before_4_2, 'method = "just-works"', "encrypted"),
    "refused": (_pairs(Capability.NO_OUTPUT_NO_INPUT, fails=True), 'accept = "never"', "open"),
}


@pytest.mark.parametrize("flow", FLOWS)
def test_tshark_finds_no_malformed_frame(tmp_path: Path, flow: str) -> None:
    requires_tools("tshark")
    transcript = _recorded(tmp_path, *FLOWS[flow])
    frames = [each for each in _records(transcript) if isinstance(each, Frame) and each.medium == "ble"]
    for host in ("thermo", "central"):
        path = tmp_path / f"{host}.btsnoop"
        with path.open("wb") as sink:
            count = to_btsnoop(_records(transcript), sink.write, host)
        read = _dissected(path, "frame.number", "_ws.malformed", "_ws.expert.severity")
        assert len(read) == count == sum(each.sender == host for each in frames)
        assert [each for each in read if each[1] or "8388608" in each[2]] == []
    path = tmp_path / "all.pcapng"
    with path.open("wb") as sink:
        to_pcapng(_records(transcript), sink.write)
    read = _dissected(path, "frame.interface_name", "_ws.malformed", "frame.time_epoch", "hci_h4.direction")
    assert {each[0] for each in read} == {"ble thermo", "ble central"}
    assert [each[1] for each in read] == [""] * len(frames)
    assert [float(each[2]) for each in read] == pytest.approx([each.at_us / 1_000_000 for each in frames])
    assert [each[3] for each in read] == [f"0x{each.source == b'controller':02x}" for each in frames]


HOUSE = """
[[accessory]]
id = "hub"
kind = "ble-central"
pairing = { method = "keyboard-and-display", code = "wrong-then-right" }
"""
LOCK = """
[[accessory]]
id = "{id}"
kind = "ble-peripheral"
pairing = {{ method = "{method}" }}
lies = [{lies}]
[[accessory.service]]
uuid = "fff0"
[[accessory.service.characteristic]]
uuid = "fff1"
properties = ["read", "write"]
text = "{text}"
"""
LOCKS = (
    {"id": "shown", "method": "passkey-shown"},
    {"id": "typed", "method": "passkey-typed"},
    {"id": "parts", "lies": '"parts-on-read"'},
    {"id": "small", "lies": '"small-mtu"', "text": "long " * 60},
    {"id": "loses-bond"},
)


def test_tshark_finds_no_malformed_frame_in_what_goes_wrong(tmp_path: Path) -> None:
    """A wrong passkey, a typed one, a link lost within a read, values in many parts, a bond that one side has lost."""
    requires_tools("tshark")
    given = {"method": "just-works", "lies": "", "text": "x"}
    toml = HOUSE + "".join(LOCK.format(**{**given, **each}) for each in LOCKS)
    (tmp_path / "home.toml").write_text(toml)
    outcomes: list[tuple[str, str, str]] = []

    def hub(verb: str, **arguments: str) -> None:
        result = home["hub"].do(verb, **arguments).result()
        outcomes.append((verb, arguments.get("target", ""), result["outcome"]))
        home.advance("100ms")

    with Home(tmp_path / "home.toml", seed=1, virtual=True) as home:
        for each in LOCKS:
            hub("connect", target=each["id"])
            hub("pair")
            if each["id"] == "shown":
                hub("pair")
            if each["id"] == "loses-bond":
                home["loses-bond"].do("forget").result()
                hub("disconnect")
                hub("connect", target=each["id"])
                hub("pair")
            hub("read", characteristic="fff1")
            if each["id"] == "small":
                hub("write", characteristic="fff1", value="61" * 100)
            if home["hub"].state == "connected":
                hub("disconnect")
        transcript = home.transcript
    assert [each for each in outcomes if each[2] == "refused"] == [
        ("pair", "", "refused"),
        ("read", "", "refused"),
        ("pair", "", "refused"),
    ]
    path = tmp_path / "all.pcapng"
    with path.open("wb") as sink:
        to_pcapng(_records(transcript), sink.write)
    read = _dissected(path, "_ws.malformed", "_ws.expert.severity", "btatt.opcode", "btsmp.opcode", "btsmp.reason")
    assert [each for each in read if each[0] or "8388608" in each[1]] == []
    assert {"0x0c", "0x0d", "0x16", "0x17", "0x18", "0x19"} <= {each[2] for each in read}
    assert {"0x05", "0x0c", "0x0d"} <= {each[3] for each in read}


def test_tshark_and_our_summaries_read_the_same(tmp_path: Path) -> None:
    requires_tools("tshark")
    transcript = _recorded(tmp_path, *FLOWS["scan, connect, read, write, notify"])
    frames = [each for each in _records(transcript) if isinstance(each, Frame) and each.medium == "ble"]
    path = tmp_path / "all.pcapng"
    with path.open("wb") as sink:
        to_pcapng(_records(transcript), sink.write)
    theirs = _dissected(path, "btatt.opcode", "btatt.value", "btcommon.eir_ad.entry.device_name")
    with path.open("rb") as capture:
        ours = [summary_of(each) for each in read_capture(capture, "all.pcapng")]
    assert ours == [frame_summary(each) for each in frames]
    assert len(ours) == len(theirs)
    for said, (opcode, value, name) in zip(ours, theirs, strict=True):
        assert said.startswith("ATT") == bool(opcode)
        assert not (value and said.startswith("ATT Handle")) or value in said
        assert not name or f"name {name}" in said
    assert "ATT Handle Value Notification 0x" in "\n".join(ours)
    assert "malformed" not in "\n".join(ours)


def test_a_btsnoop_file_is_of_one_host(tmp_path: Path) -> None:
    records = _records(_recorded(tmp_path, _uses))
    with pytest.raises(UsageError, match="one of: central, thermo"):
        to_btsnoop(records, lambda _: None)
    with pytest.raises(UsageError, match="'phone' has no Bluetooth"):
        to_btsnoop(records, lambda _: None, "phone")
    with pytest.raises(UsageError, match="nothing of Bluetooth"):
        to_btsnoop([], lambda _: None)

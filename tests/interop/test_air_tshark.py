"""What leaves the air for Wireshark, read by tshark: captures of a home, and frames from the hub with radiotap."""

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from devices.media.air import Air
from devices.sim.clock import Clock
from devices.transcripts.pcapng import PcapngWriter
from devices.transcripts.pcapng_tap import PcapngTap
from devices.transports.radiotap import Radiotap
from tests.support.frames import BROADCAST, PUBLISH, descriptor, frame, mac, sdf, service
from tests.support.media import virtually
from tests.support.needs import requires_tools

pytestmark = pytest.mark.interop
LINKTYPE_RADIOTAP = 127
ALL = frame(BROADCAST, mac(1), b"\x04\x09\x50\x6f\x9a\x13")


def dissected(capture: Path, fields: Sequence[str]) -> list[str]:
    """What tshark makes of each frame: the values of the fields, with semicolons between them."""
    requires_tools("tshark")
    columns = [part for name in fields for part in ("-e", name)]
    command = ["tshark", "-r", str(capture), "-T", "fields", "-E", "separator=;", *columns]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_capture_of_the_air_ends_where_its_frames_end_and_has_no_fcs(tmp_path: Path) -> None:
    capture = tmp_path / "air.pcapng"
    with capture.open("wb") as file:

        async def story(clock: Clock) -> None:
            air = Air(clock, (PcapngTap(PcapngWriter(file.write), clock.now),))
            camera = air.attach("camera", (mac(1),), lambda _: None)
            camera.send(sdf(mac(1), descriptor(PUBLISH, service(1)), descriptor(PUBLISH, service(2))), BROADCAST)
            await clock.sleep(250)
            camera.send(frame(mac(2), mac(1), b"\xaa\xaa\x03\0\0\0\x88\xb5data", control=b"\x08\0"), mac(2))

        virtually(story)
    fields = ("frame.time_epoch", "wlan.ra", "wlan.ta", "nan.service_id", "wlan.fcs", "_ws.malformed")
    assert dissected(capture, fields) == [
        "0.000000000;51:6f:9a:01:00:00;02:00:00:00:00:01;d3:00:00:00:00:01,d3:00:00:00:00:02;;",
        "0.000250000;02:00:00:00:00:02;02:00:00:00:00:01;;;",
    ]


def test_every_radiotap_field_that_the_hub_writes_is_read_as_meant(tmp_path: Path) -> None:
    capture = tmp_path / "hub.pcap"
    packets = [
        header.encode() + ALL
        for header in (
            Radiotap(tsft=123_456_789_012, frequency_mhz=2437, signal_dbm=-71),
            Radiotap(tsft=7, frequency_mhz=2437, tx_flags=1),
            Radiotap(tsft=8, flags=0, frequency_mhz=5745, signal_dbm=-3, tx_flags=0),
        )
    ]
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, LINKTYPE_RADIOTAP)
    capture.write_bytes(data + b"".join(struct.pack("<IIII", 0, 0, len(each), len(each)) + each for each in packets))
    names = ("mactime", "channel.freq", "channel.flags", "dbm_antsignal", "txflags")
    lines = dissected(capture, [*(f"radiotap.{name}" for name in names), "wlan.fc.type_subtype", "_ws.malformed"])
    # Some numbers come in hexadecimal, with as many digits as the version likes.
    assert [[int(value, 0) if value else None for value in line.split(";")] for line in lines] == [
        [123_456_789_012, 2437, 0xC0, -71, None, 13, None],
        [7, 2437, 0xC0, None, 1, 13, None],
        [8, 5745, 0x140, -3, 0, 13, None],
    ]

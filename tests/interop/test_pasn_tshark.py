"""Every kind of PASN frame that we send, read by tshark: none malformed beyond what its dissector cannot know."""

import struct
import subprocess
from pathlib import Path

import pytest

from pairing.pasn.events import PasnMode
from pairing.pasn.key_schedule import NCS_PK_PASN_128, NCS_PK_PASN_256, PasnSuite
from tests.support.needs import requires_tools
from tests.support.pasn_pair import Pair

pytestmark = pytest.mark.interop
LINKTYPE_IEEE802_11 = 105
FIELDS = (
    "wlan.fixed.auth.alg",
    "wlan.fixed.auth_seq",
    "wlan.fixed.status_code",
    "wlan.rsn.akms.type",
    "wlan.rsn.pcs.type",
    "wlan.rsnx.sae_hash_to_element",
    "wlan.etag.pasn_parameters.wrapped_data_format",
    "wlan.etag.pasn_parameters.finite_cyclic_group_id",
    "wlan.etag.pasn_parameters.ephemeral_public_key_len",
    "wlan.etag.pasn_parameters.cookie",
    "_ws.malformed",
)


def dissected(frames: list[bytes], path: Path) -> list[dict[str, str]]:
    """What tshark makes of each frame: field to value, empty where there is none."""
    requires_tools("tshark")
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_IEEE802_11)
    for number, frame in enumerate(frames):
        data += struct.pack("<IIII", number, 0, len(frame), len(frame)) + frame
    path.write_bytes(data)
    first = ("-T", "fields", "-E", "occurrence=f")  # it finds the wrapped SAE bodies too, with fields of their own
    command = ["tshark", "-r", str(path), *first, *(part for field in FIELDS for part in ("-e", field))]
    lines = subprocess.run(command, check=True, text=True, capture_output=True).stdout.splitlines()
    assert len(lines) == len(frames)
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in lines]


def number(frame: dict[str, str], field: str) -> int:
    """A field that is there, decimal or hexadecimal."""
    return int(frame[field], 0)


@pytest.mark.parametrize("suite", [NCS_PK_PASN_128, NCS_PK_PASN_256], ids=lambda suite: f"suite{suite.number}")
@pytest.mark.parametrize("mode", PasnMode)
def test_frames_of_every_pairing_read_as_meant(mode: PasnMode, suite: PasnSuite, tmp_path: Path) -> None:
    pair = Pair(mode, suite)
    pair.run()
    one, two, three = dissected(pair.sent, tmp_path / "pasn.pcap")
    for index, frame in enumerate((one, two, three), start=1):
        assert number(frame, "wlan.fixed.auth.alg") == 7
        assert number(frame, "wlan.fixed.auth_seq") == index
        assert number(frame, "wlan.fixed.status_code") == 0
        wrapped = number(frame, "wlan.etag.pasn_parameters.wrapped_data_format")
        assert wrapped == (3 if mode is PasnMode.PASSWORD else 0)
    for frame in (one, two):
        assert number(frame, "wlan.rsn.akms.type") == (21 if mode is PasnMode.OPPORTUNISTIC else 8)
        assert number(frame, "wlan.rsn.pcs.type") == (4 if suite.number == 7 else 9)
        assert number(frame, "wlan.etag.pasn_parameters.finite_cyclic_group_id") == suite.group
        length = number(frame, "wlan.etag.pasn_parameters.ephemeral_public_key_len")
        assert length == (33 if suite.group == 19 else 49)
        assert bool(frame["wlan.rsnx.sae_hash_to_element"]) is (mode is not PasnMode.OPPORTUNISTIC)
    # The dissector takes every PASN MIC for 16 octets long; opportunistic suite 8 has 24.
    has_long_mic = mode is PasnMode.OPPORTUNISTIC and suite.number == 8
    assert [bool(frame["_ws.malformed"]) for frame in (one, two, three)] == [False, has_long_mic, has_long_mic]


def test_comeback_and_refusals_read_as_meant(tmp_path: Path) -> None:
    away = Pair(camera={"comeback_tu": 100})
    away.run()
    refused = Pair(phone={"suites": (NCS_PK_PASN_256,)}, mode=PasnMode.OPPORTUNISTIC)
    refused.run()
    frames = dissected([*away.sent, *refused.sent], tmp_path / "pasn.pcap")
    assert [number(frame, "wlan.fixed.status_code") for frame in frames] == [0, 30, 0, 0, 0, 0, 72]
    # It reads no elements behind a status, so that only the returned cookie shows.
    assert len(frames[2]["wlan.etag.pasn_parameters.cookie"]) == 16
    assert not any(frame["_ws.malformed"] for frame in frames)

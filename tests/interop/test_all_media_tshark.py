"""A home of all media in tshark: Thread decrypted, Wi-Fi Aware and Bluetooth LE, on interfaces named after whose."""

import subprocess
from io import BytesIO
from pathlib import Path

import pytest

from devices.cli.control_client import ControlClient
from devices.lab.run import run_scenario
from devices.lab.scenario import read_scenario
from devices.transcripts.export import to_pcapng
from devices.transcripts.reader import read_transcript
from tests.support.command_line import home_up
from tests.support.needs import requires_tools

pytestmark = pytest.mark.interop
SCENARIO = Path(__file__).parents[2] / "specs" / "scenarios" / "home-of-all-media.toml"
LIVE = """
name = "All live"
[[accessory]]
id = "border-router"
kind = "thread-border-router"
attach = "0.1s"
rest_port = 0
[[accessory]]
id = "camera"
kind = "wifi-aware-publisher"
service = "_all-live._udp"
[[accessory]]
id = "lock"
kind = "ble-battery"
[[commissioner]]
id = "installer"
"""


def fields(capture: Path, *names: str, where: str, port: str = "0") -> list[list[str]]:
    wanted = [part for name in names for part in ("-e", name)]
    as_coap = [] if port == "0" else ["-d", f"udp.port=={port},dtls", "-d", f"dtls.port=={port},coap"]
    command = ["tshark", "-r", str(capture), *as_coap, "-Y", where, "-T", "fields", *wanted]
    done = subprocess.run(command, check=True, text=True, capture_output=True, timeout=60)
    return [line.split("\t") for line in done.stdout.splitlines()]


def coap_paths(capture: Path) -> list[str]:
    """The requests of MeshCoP, which only the keys in the capture open."""
    ((port, *_), *_) = fields(capture, "udp.dstport", where="dtls.handshake.type == 1")
    return [path for (path,) in fields(capture, "coap.opt.uri_path_recon", where="coap.code == 2", port=port)]


def interfaces(capture: Path, where: str) -> set[str]:
    return {name for (name,) in fields(capture, "frame.interface_name", where=where)}


def test_an_exported_capture_holds_thread_decrypted_and_wifi_aware_and_bluetooth(tmp_path: Path) -> None:
    requires_tools("tshark")
    result = run_scenario(read_scenario(SCENARIO), secrets=True)
    assert result.failure is None, result.failure
    capture = tmp_path / "all.pcapng"
    with capture.open("wb") as sink:
        to_pcapng(read_transcript(BytesIO(result.transcript)), sink.write)
    assert coap_paths(capture) == ["/c/cp", "/c/ag", "/c/ca"]
    assert interfaces(capture, "dtls") == {"lan installer", "lan border-router"}
    spoken = fields(capture, "frame.interface_name", "_ws.col.Protocol", where="wlan")
    assert {interface for interface, protocol in spoken if protocol == "NAN"} == {"air camera", "air phone"}
    assert interfaces(capture, "btatt") == {"ble lock", "ble hub"}
    assert fields(capture, "btatt.value", where="btatt.opcode == 0x0b")[0] == [b"locked".hex()]
    assert fields(capture, "frame.number", where="_ws.malformed") == []


def test_a_live_capture_holds_its_keys_before_what_they_open(tmp_path: Path) -> None:
    requires_tools("tshark")
    (tmp_path / "home.toml").write_text(LIVE)
    capture = tmp_path / "live.pcapng"
    with home_up(tmp_path, str(tmp_path / "home.toml"), "--pcap", str(capture), "--secrets") as home:
        home.until("RoleChanged", role="leader")
        client = ControlClient(home.ready["api"])
        for verb in ("petition", "get", "resign"):
            done = client.post("v1", "commissioners", "installer", "actions", verb, body={}, secrets=True)
            assert done["outcome"] == "done", done
        assert home.stop().code == 0
    assert capture.stat().st_mode & 0o777 == 0o600
    assert coap_paths(capture)[:2] == ["/c/cp", "/c/ag"]
    assert {"lan border-router", "air camera", "ble lock"} <= interfaces(capture, "frame")
    assert fields(capture, "frame.number", where="_ws.malformed") == []

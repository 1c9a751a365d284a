"""`pairlab up --pcap`: a running home in tshark, live from a pipe and from a file; what people read goes elsewhere."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command_line import LIMIT_S, command, environment, home_up
from tests.support.needs import requires_tools
from tests.support.programs import Program

pytestmark = pytest.mark.interop
SERVICE = f"_up-{os.getpid()}._udp"
HOME = f"""
name = "Captured"
[[accessory]]
id = "camera"
kind = "wifi-aware-camera"
name = "Captured Camera {os.getpid()}"
service = "{SERVICE}"
"""
ROUTER = f"""
[[accessory]]
id = "br"
kind = "thread-border-router"
name = "Captured Router {os.getpid()}"
attach = "0.1s"
rest_port = 0
"""
LIVE = ("-i", "-", "-l", "-T", "fields", "-e", "frame.interface_name", "-e", "_ws.col.Info", "-e", "_ws.malformed")


@pytest.fixture
def home(tmp_path: Path) -> str:
    """The home's file."""
    path = tmp_path / "home.toml"
    path.write_text(HOME)
    return str(path)


@contextmanager
def up_into_a_pipe(data: Path, home: str, *more: str) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """A home whose capture goes into a pipe: the end to read from, and the process."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        command("up", home, "--api-port", "0", "--pcap", "-", *more),
        stdout=writing,
        stderr=subprocess.PIPE,
        env=environment(data),
    )
    os.close(writing)
    watchdog = threading.Timer(LIMIT_S, process.kill)
    watchdog.start()
    try:
        yield reading, process
    finally:
        watchdog.cancel()
        os.close(reading)
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_tshark_shows_the_air_live_and_people_read_on_stderr(tmp_path: Path, home: str) -> None:
    requires_tools("tshark")
    with up_into_a_pipe(tmp_path, home, "--duration", "60") as (capture, process):
        with Program(["tshark", *LIVE], stdin=capture) as tshark:
            line = tshark.expect(lambda line: "SDF Publish" in line, 30)
            assert process.poll() is None  # it is seen while the home runs, not at its end
            process.terminate()
            _, told = process.communicate(timeout=LIMIT_S)
        interface, info, *malformed = line.split("\t")
        assert (interface, info.split(",")[0], malformed) == ("air camera", "SDF Publish", [""])
    assert process.returncode == 0
    assert f"Captured Camera {os.getpid()}" in told.decode()
    assert "power-off" in told.decode()


def test_a_reader_that_leaves_does_not_end_the_home(tmp_path: Path, home: str) -> None:
    with up_into_a_pipe(tmp_path, home, "--duration", "0.3") as (capture, process):
        assert os.read(capture, 4) == b"\x0a\x0d\x0d\x0a"
        _, told = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
    assert "seed" in told.decode()


def test_a_file_holds_the_air_and_the_lan(tmp_path: Path, home: str) -> None:
    requires_tools("tshark")
    path = tmp_path / "home.pcapng"
    Path(home).write_text(HOME + ROUTER)
    with home_up(tmp_path, home, "--pcap", str(path)) as running:
        running.until("ServicePublished")
        ran = running.stop()
    assert (ran.code, ran.err) == (0, "")
    fields = ("-T", "fields", "-e", "frame.interface_name", "-e", "_ws.col.Protocol", "-e", "_ws.malformed")
    done = subprocess.run(["tshark", "-r", str(path), *fields], check=True, text=True, capture_output=True)
    shown = {tuple(line.split("\t")) for line in done.stdout.splitlines()}
    assert shown - {("lan gateway", "MDNS", "")} == {("air camera", "NAN", ""), ("lan br", "MDNS", "")}

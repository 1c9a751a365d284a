"""`pairlab phone` against a home that is a process of its own: the journey from a shell, and what it says of errors."""

import io
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest

from tests.support.command_line import Ran, RunningHome, home_up, run, run_process

CAMERA_HOME = Path(__file__).parents[3] / "specs" / "homes" / "camera.toml"
HOME = """
[[accessory]]
id = "camera"
kind = "wifi-aware-camera"
name = "Garage Camera"

[[phone]]
id = "phone"
search_budget = "2s"

[[phone]]
id = "pixel"
profile = "android-17"
code = "none"
"""


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningHome]:
    path = tmp_path / "camera.toml"
    path.write_text(f'name = "Camera"\n{HOME}')
    with home_up(tmp_path, str(path), "--seed", "5") as home:
        monkeypatch.setenv("PAIRLAB_URL", home.ready["api"])
        yield home


def _pin(home: RunningHome) -> str:
    return str(home.ready["accessories"][0]["shows"]["code"])


def test_a_shell_pairs_with_the_camera_and_curl_fetches_a_picture(
    capsys: pytest.CaptureFixture[str], running: RunningHome
) -> None:
    browsed = run(capsys, "phone", "browse", "--seconds", "1")
    assert "Garage Camera" in browsed.out
    assert "next: pairlab phone pair camera --code CODE" in browsed.out
    refused = run(capsys, "phone", "open", "camera")
    assert (refused.code, refused.rows["refused"]) == (1, "paired-required")
    assert refused.rows["the app sees"] == "WAError noPairedDevices"
    wrong = run(capsys, "phone", "pair", "camera", "--code", "000000")
    assert (wrong.code, wrong.rows["symptom"]) == (1, "AuthenticationError (wrong-password)")
    paired = run(capsys, "phone", "pair", "camera", "--code", _pin(running))
    assert (paired.code, paired.err) == (0, "")
    assert "paired with Garage Camera, device " in paired.out
    assert "next: pairlab phone open camera" in paired.out
    assert _pin(running) not in paired.out
    opened = run(capsys, "phone", "open", "camera")
    url = opened.rows["http"]
    assert f"next: curl {url}" in opened.out
    if shutil.which("curl"):
        picture = subprocess.run(["curl", "-sS", url], capture_output=True, timeout=30, check=True).stdout
    else:
        with urlopen(url, timeout=30) as answer:  # http by construction
            picture = answer.read()
    assert picture.startswith(b"\x89PNG")
    assert run(capsys, "phone", "verify", "camera").out == "verified Garage Camera\n"
    assert run(capsys, "phone", "close").out == "closed\n"
    with pytest.raises(OSError, match="refused"):
        urlopen(url, timeout=30)  # http by construction


def test_devices_are_listed_renamed_and_removed(capsys: pytest.CaptureFixture[str], running: RunningHome) -> None:
    none = run(capsys, "phone", "devices")
    assert (none.code, none.out) == (0, "")
    assert "no paired devices; next: pairlab phone browse" in none.err
    picked = run(capsys, "phone", "pick", "--model", "camera", "--json").document
    assert picked["value"]["accessory"] == "camera"
    paired = run(capsys, "phone", "pair", "--code", _pin(running), "--name", "Mine", "--json").document
    device = paired["value"]["device"]
    listed = run(capsys, "phone", "devices", "list")
    assert listed.out.startswith("Mine\n")
    assert listed.rows["id"] == device["id"]
    assert run(capsys, "phone", "devices", "rename", "Mine", "Garage").code == 0
    (renamed,) = run(capsys, "phone", "devices", "--json").document["value"]
    assert renamed == {**device, "name": "Garage"}
    assert run(capsys, "phone", "devices", "remove", "Garage").code == 0
    assert run(capsys, "phone", "devices", "--json").document["value"] == []
    missing = run(capsys, "phone", "devices", "remove", "Garage")
    assert (missing.code, missing.err) == (
        1,
        "pairlab: phone: no paired device 'Garage'; com.example.app has no paired devices\n",
    )


def test_a_phone_by_name_a_code_from_stdin_and_json_as_one_document(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, running: RunningHome
) -> None:
    browsed = run(capsys, "phone", "browse", "--seconds", "0.5", "--json")
    assert browsed.out.count("\n") == 1
    assert json.loads(browsed.out)["outcome"] == "done"
    silent = run(capsys, "phone", "pair", "camera", "--phone", "pixel")
    assert silent.code == 2
    assert "give --code" in silent.err
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{_pin(running)}\n"))
    paired = run(capsys, "phone", "pair", "camera", "--phone", "pixel", "--code", "-")
    assert paired.code == 0
    assert "next: pairlab phone open camera --phone pixel" in paired.out
    assert run(capsys, "phone", "devices", "--phone", "nobody").code == 2
    refused = run(capsys, "phone", "open", "camera", "--security", "open", "--json")
    assert (refused.code, refused.document["platform"]["case"]) == (1, "connectionFailed")
    assert run(capsys, "phone", "open", "camera", "--security", "wax").code == 2
    _refused(run(capsys, "phone", "pair", "camera", "--method", "wax"), 2, "method: there is no 'wax'")
    _refused(run(capsys, "phone", "pair", "camera", "--code", ""), 2, "the code is empty")
    assert run(capsys, "phone", "verify", "nobody", "--within", "0.1", "--phone", "pixel", "--json").code == 2
    elsewhere = run(capsys, "phone", "pick", "Garage Camera", "--service", "_other._udp", "--within", "0.1")
    assert (elsewhere.code, elsewhere.rows["refused"]) == (1, "in-view")


def test_the_same_by_processes_and_their_exit_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def phone(*arguments: str) -> Ran:
        return run_process(tmp_path, "phone", *arguments)

    with home_up(tmp_path, str(CAMERA_HOME)) as home:
        monkeypatch.setenv("PAIRLAB_URL", home.ready["api"])
        assert phone("pair", "camera", "--code", "000000").code == 1
        stranger = phone("pair", "nobody", "--code", "000000", "--within", "0.2")
        assert (stranger.code, stranger.rows["expected"]) == (2, "'nobody' publishing _sat-simulation._udp")
        assert "nobody is called 'nobody'; next: pairlab phone browse" in stranger.err
        assert phone("pair", "camera", "--code", _pin(home)).code == 0
        opened = phone("open", "camera", "--json")
        assert (opened.code, opened.document["outcome"]) == (0, "done")
        url = opened.document["value"]["endpoints"]["http"]
        with urlopen(url, timeout=30) as answer:  # http by construction
            assert answer.read().startswith(b"\x89PNG")
        assert phone("devices", "remove", "camera").code == 0
        with pytest.raises(OSError, match="refused"):
            urlopen(url, timeout=30)  # http by construction
    assert phone("devices").code == 3


def _refused(ran: Ran, code: int, text: str) -> None:
    assert (ran.code, ran.out) == (code, "")
    assert text in ran.err


def test_no_home_is_a_matter_of_the_host_and_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    _refused(run(capsys, "phone", "devices", "--url", url), 3, "start one with `pairlab up`")
    _refused(run(capsys, "phone", "devices", "--url", "localhost"), 2, "is no URL of a control API")


class _Stranger(BaseHTTPRequestHandler):
    """A web server that is no pairlab."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/v1/phones" else 418)
        self.end_headers()
        self.wfile.write(b"<html>" if self.path == "/v1/phones" else b"a teapot")

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


def test_another_server_is_told_from_a_home(capsys: pytest.CaptureFixture[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        _refused(run(capsys, "phone", "devices", "--url", url), 2, "its answer is not JSON")
        _refused(run(capsys, "phone", "devices", "--phone", "x", "--url", url), 2, "it answers 418")
        server.shutdown()
        thread.join()


def test_a_home_without_a_phone_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text('name = "Empty"\n')
    with home_up(tmp_path, str(path)) as home:
        _refused(run(capsys, "phone", "browse", "--url", home.ready["api"]), 2, "[[phone]]")

"""`pairlab up` as a process of its own: the ready line, its end, what it records, and what it refuses."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from devices.cli.live_session import DEFAULT_API_PORT
from devices.stores.state import StateDirectory
from devices.transcripts.reader import Frame, Happened, Header, read_transcript
from tests.support.command_line import Ran, command, environment, home_up, run, run_process

NAME = f"Up Test {os.getpid()}"
"""Other tests run beside this one, on the same loopback."""
HOME = f'[[accessory]]\nid = "br"\nkind = "thread-border-router"\nname = "{NAME}"\nattach = "0.1s"\nrest_port = 0\n'


@pytest.fixture
def home(tmp_path: Path) -> str:
    path = tmp_path / "home.toml"
    path.write_text(f'name = "Up"\n{HOME}')
    return str(path)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def test_the_first_line_says_ready_the_api_serves_and_sigterm_ends_it(tmp_path: Path, home: str) -> None:
    with home_up(tmp_path, home, "--seed", "5") as running:
        ready = running.ready
        assert list(ready) == ["event", "api", "seed", "accessories"]
        assert (ready["event"], ready["seed"]) == ("ready", 5)
        (accessory,) = ready["accessories"]
        assert list(accessory) == ["id", "name", "kind", "state", "endpoints", "shows"]
        assert (accessory["id"], accessory["kind"]) == ("br", "thread-border-router")
        with urlopen(f"{ready['api']}/v1/accessories", timeout=20) as answer:  # http by construction
            assert answer.status == 200
        with urlopen(f"{accessory['endpoints']['rest']}/node/state", timeout=20) as answer:
            assert json.load(answer) in ("detached", "leader")
        running.until("ServicePublished", service_type="_meshcop._udp")
        assert_left_in_peace(running.stop())


def assert_left_in_peace(ran: Ran) -> None:
    """Goodbyes, and code 0."""
    assert (ran.code, ran.err) == (0, "")
    assert '"type":"ServiceWithdrawn"' in ran.out


def test_every_event_is_told_from_the_first(tmp_path: Path, home: str) -> None:
    ran = run_process(tmp_path, "up", home, "--json", "--api-port", "0", "--duration", "0.4")
    events = [json.loads(line) for line in ran.out.splitlines()[1:]]
    assert (ran.code, ran.err) == (0, "")
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert any(event["type"] == "RoleChanged" and event["role"] == "leader" for event in events)
    assert events[-1]["state"] == "off"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_with_goodbyes_and_code_0(tmp_path: Path, home: str, number: signal.Signals) -> None:
    with home_up(tmp_path, home) as running:
        running.until("ServicePublished", service_type="_meshcop._udp")
        assert_left_in_peace(running.stop(number))


def test_without_a_terminal_the_table_is_plain_text(tmp_path: Path, home: str) -> None:
    ran = run_process(tmp_path, "up", home, "--api-port", "0", "--duration", "0.3s", "--seed", "5")
    assert (ran.code, ran.err) == (0, "")
    assert "\x1b" not in ran.out
    for part in ("seed 5", "reach loopback", NAME, "thread-border-router", "rest http://127.0.0.1:"):
        assert part in ran.out


def test_the_demo_home_needs_no_file_and_is_remembered(tmp_path: Path) -> None:
    def network() -> str:
        with home_up(tmp_path) as running:
            rest = running.ready["accessories"][0]["endpoints"]["rest"]
            with urlopen(f"{rest}/node/ext-address", timeout=20) as answer:
                return str(json.load(answer))

    first, second = network(), network()
    assert first == second
    state = tmp_path / "pairlab" / "demo-home" if sys.platform != "darwin" else None
    assert state is None or all(path.stat().st_mode & 0o077 == 0 for path in state.iterdir())


def test_a_seed_makes_the_demo_home_afresh_and_the_same(tmp_path: Path) -> None:
    def address() -> str:
        with home_up(tmp_path, "--seed", "3") as running:
            event = running.until("ServicePublished", service_type="_meshcop._udp")
            return str(event["host"])

    assert address() == address()
    assert not (tmp_path / "pairlab").exists()


def test_a_state_folder_in_use_is_exit_3(tmp_path: Path, home: str) -> None:
    with StateDirectory(tmp_path / "state"):
        ran = run_process(tmp_path, "up", home, "--state", str(tmp_path / "state"), "--duration", "0")
    assert (ran.code, ran.out) == (3, "")
    assert "in use" in ran.err


def test_an_explicit_port_that_is_taken_is_exit_3(tmp_path: Path, home: str, taken_port: int) -> None:
    ran = run_process(tmp_path, "up", home, "--api-port", str(taken_port), "--duration", "0")
    assert (ran.code, ran.out) == (3, "")
    assert str(taken_port) in ran.err
    assert ran.err.count("\n") == 1


def test_the_default_port_gives_way(tmp_path: Path, home: str) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", DEFAULT_API_PORT))
            sock.listen()
        except OSError:
            pass  # another home has it already: as good as this one
        ran = run_process(tmp_path, "up", home, "--json", "--duration", "0")
    port = int(json.loads(ran.out.splitlines()[0])["api"].rpartition(":")[2])
    assert DEFAULT_API_PORT < port < DEFAULT_API_PORT + 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name = ", "is not TOML"),
        ("\x00\x01", "is not TOML"),
        ('[[accessory]]\nkind = "toaster"\n', "toaster"),
        ('[[accessory]]\nkind = "thread-border-router"\ndatset = "00"\n', "did you mean 'dataset'?"),
        ('[[accessory]]\nkind = "thread-border-router"\ndataset = "0e08"\n', "dataset"),
        (f"{HOME}{HOME}", "used twice"),
        ('[[accessory]]\nkind = "thread-border-router"\nlies = ["no-such-lie"]\n', "no-such-lie"),
    ],
)
def test_a_bad_home_file_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(content)
    ran = run(capsys, "up", str(path), "--api-port", "0", "--duration", "0", "--reach", "loopback")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.startswith("pairlab: ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("duration", ["abc", "-1", "inf", "nan", "1 parsec"])
def test_a_bad_duration_is_wrong_usage(capsys: pytest.CaptureFixture[str], home: str, duration: str) -> None:
    assert run(capsys, "up", home, f"--duration={duration}", "--reach", "loopback").code == 2


def test_a_home_with_real_secrets_refuses_to_be_seen(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "secret.toml"
    path.write_text(f'reach = "loopback"\nreal_secrets = true\n{HOME}')
    refused = run(capsys, "up", str(path), "--reach", "all", "--api-port", "0", "--duration", "0")
    assert (refused.code, refused.out) == (2, "")
    assert "real_secrets" in refused.err
    assert run_process(tmp_path, "up", str(path), "--api-port", "0", "--duration", "0").code == 0


def test_transcript_and_capture_are_written_as_it_runs(tmp_path: Path, home: str) -> None:
    capture = tmp_path / "home.pcapng"
    arguments = ("--transcript", str(tmp_path / "records"), "--pcap", str(capture), "--seed", "5")
    for _ in range(2):
        run_process(tmp_path, "up", home, "--json", "--api-port", "0", "--duration", "0.5", *arguments)
    assert sorted(path.name for path in (tmp_path / "records").iterdir()) == ["up-2.cbor", "up.cbor"]
    with (tmp_path / "records" / "up.cbor").open("rb") as stream:
        header, *records = read_transcript(stream)
    assert isinstance(header, Header)
    assert header.seed == 5
    assert {type(record) for record in records} >= {Frame, Happened}
    assert capture.read_bytes().startswith(b"\x0a\x0d\x0d\x0a")


def test_a_capture_on_stdout_leaves_stdout_to_itself(tmp_path: Path, home: str) -> None:
    done = subprocess.run(
        command("up", home, "--pcap", "-", "--api-port", "0", "--duration", "0.4"),
        capture_output=True,
        timeout=60,
        env=environment(tmp_path),
    )
    assert done.returncode == 0
    assert done.stdout.startswith(b"\x0a\x0d\x0d\x0a")
    assert NAME.encode() in done.stderr


def test_a_full_disk_ends_the_recording_and_is_exit_3(tmp_path: Path, home: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    ran = run_process(tmp_path, "up", home, "--json", "--pcap", "/dev/full", "--api-port", "0", "--duration", "0.4")
    assert ran.code == 3
    assert "No space left" in ran.err
    assert '"role":"leader"' in ran.out


def test_a_reader_that_leaves_ends_the_home_in_peace(tmp_path: Path, home: str) -> None:
    process = subprocess.Popen(
        command("up", home, "--json", "--api-port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    process.stdout.close()
    with suppress(OSError):  # where it met the closed pipe before, it is gone
        urlopen(f"{ready['accessories'][0]['endpoints']['rest']}/node/state", timeout=20).close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_a_second_signal_ends_it_at_once(tmp_path: Path, home: str) -> None:
    with home_up(tmp_path, home) as running:
        running.process.send_signal(signal.SIGINT)
        ran = running.stop(signal.SIGINT)
    assert ran.code in (0, 130)  # 0 where it was gone before the second came
    assert "Traceback" not in ran.err


def test_a_terminal_gets_a_live_table(tmp_path: Path, home: str) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            command("up", home, "--api-port", "0", "--duration", "0.4"),
            stdout=theirs,
            stderr=theirs,
            env={**environment(tmp_path), "TERM": "xterm-256color", "COLUMNS": "120"},
        )
        os.close(theirs)
        shown = b""
        try:
            while chunk := screen.read(65536):
                shown += chunk
        except OSError:
            pass  # Linux says EIO where the last writer has gone
        assert process.wait(60) == 0
    text = shown.decode()
    assert "\x1b[?25l" in text  # the cursor is hidden while the table lives,
    assert "\x1b[?25h" in text  # and given back
    assert "leader" in text


def test_a_reader_that_does_not_read_does_not_hold_the_home_up(tmp_path: Path, home: str) -> None:
    with home_up(tmp_path, home) as running:
        rest = running.ready["accessories"][0]["endpoints"]["rest"]
        for _ in range(600):  # each is an event of some 200 bytes; a pipe holds 65,536
            with urlopen(f"{rest}/node/state", timeout=20) as answer:
                assert answer.status == 200
        ran = running.stop()
    assert ran.code == 0
    assert len(ran.out) > 65_536
    assert '"state":"off"' in ran.out.splitlines()[-1]

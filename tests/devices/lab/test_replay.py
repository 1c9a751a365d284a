"""A recorded program's requests at other homes: answers compare, differences are told, and damage is one error."""

import asyncio
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import TranscriptError, UnknownActorError
from devices.home import HomeOptions, LiveHome
from devices.lab.replay import Exchange, Request, replay, requests_of
from devices.spec import read_home
from devices.transcripts.reader import Octets
from devices.transcripts.recorder import MemoryTranscript, Recorder
from pairing.engine import Endpoint
from tests.support.command_line import run
from tests.support.transcripts import records_of

HOME = """
[[accessory]]
id = "br"
kind = "thread-border-router"
name = "Living Room"
dataset = { network_name = "Before" }
"""
GET = b"GET /node/dataset/active HTTP/1.1\r\nHost: br\r\n\r\n"
HEAD = b"HEAD /node HTTP/1.1\r\nHost: br\r\n\r\n"
JSON = b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n"
PUT = b"PUT /node/state HTTP/1.1\r\nHost: br\r\nConnection: close\r\n" + JSON + b'"disable"'
OWN, PEER = Endpoint("127.0.0.1", 8081), Endpoint("127.0.0.1", 50_000)


async def _say(url: str, *parts: bytes) -> None:
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0)
    await reader.read()
    writer.close()
    await writer.wait_closed()


async def _home(text: str, transcript: MemoryTranscript | None = None, *, secrets: bool = True) -> LiveHome:
    def now() -> int:
        return live.clock.now()

    taps = () if transcript is None else (Recorder(transcript, now=now, seed=3, secrets=secrets),)
    live = LiveHome(read_home(tomllib.loads(text)), HomeOptions(seed=3, reach="loopback", free_ports=True), taps=taps)
    await live.start()
    return live


async def _recorded(*parts: bytes, secrets: bool = True) -> bytes:
    transcript = MemoryTranscript()
    live = await _home(HOME, transcript, secrets=secrets)
    await _say(live.accessories["br"].endpoints["rest"], *parts)
    await live.stop()
    return transcript.getvalue()


async def _replayed(home: str, requests: list[Request]) -> list[Exchange]:
    live = await _home(home)
    try:
        return [each async for each in replay(live, requests, at_once=True)]
    finally:
        await live.stop()


@pytest.fixture(scope="module")
def transcript() -> bytes:
    return asyncio.run(_recorded(GET[:20], GET[20:], HEAD + PUT))


def test_requests_are_cut_as_they_were_made(transcript: bytes) -> None:
    requests, strangers = requests_of(records_of(transcript))
    assert strangers == 0
    assert [(each.method, each.path, each.octets) for each in requests] == [
        ("GET", "/node/dataset/active", GET),
        ("HEAD", "/node", HEAD),
        ("PUT", "/node/state", PUT),
    ]
    assert [each.answer.status for each in requests if each.answer] == [200, 405, 200]
    assert "networkName" not in repr(requests)


def test_the_same_home_answers_as_recorded_and_a_changed_one_otherwise(transcript: bytes) -> None:
    requests, _ = requests_of(records_of(transcript))
    assert [each.differences for each in asyncio.run(_replayed(HOME, requests))] == [{}, {}, {}]
    renamed, *others = asyncio.run(_replayed(HOME.replace("Before", "After"), requests))
    assert renamed.differences["body.networkName"] == ("Before", "After")
    assert [each.differences for each in others] == [{}, {}]
    old = asyncio.run(_replayed(f'{HOME}lies = ["old-agent"]\n', requests))
    assert old[0].differences["status"] == (200, 404)


def test_an_accessory_that_is_not_there_is_named(transcript: bytes) -> None:
    requests, _ = requests_of(records_of(transcript))
    with pytest.raises(UnknownActorError, match="spoke to 'br', and nobody is called so"):
        asyncio.run(_replayed('name = "Empty"\n', requests))


def test_without_secrets_nothing_was_recorded() -> None:
    silent = asyncio.run(_recorded(PUT, secrets=False))
    with pytest.raises(TranscriptError, match="record with --secrets"):
        requests_of(records_of(silent))


def test_what_is_no_http_is_counted() -> None:
    records = [
        Octets(5, "br", OWN, PEER, True, b"\x16\x03\x01\x00\x05hello"),
        Octets(6, "br", OWN, PEER, False, b"\x15"),
    ]
    assert requests_of(records) == ([], 1)


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([GET, PUT, b"HTTP/1.1 200 OK\r\n\r\n", b"\r\n", b"x"])), min_size=1
    )
)
def test_whatever_was_said_is_requests_or_counted(said: list[tuple[bool, bytes]]) -> None:
    requests, strangers = requests_of([Octets(n, "br", OWN, PEER, *each) for n, each in enumerate(said)])
    assert strangers in (0, 1)
    assert b"".join(each.octets for each in requests) in b"".join(octets for inward, octets in said if inward)


def test_the_command_tells_each_request_and_ends_with_1_where_one_differs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, transcript: bytes
) -> None:
    file, home = tmp_path / "talk.cbor", tmp_path / "home.toml"
    file.write_bytes(transcript)
    home.write_text(HOME.replace("Before", "After"))
    done = run(capsys, "transcript", "replay", str(file), str(home), "--at-once")
    assert done.code == 1
    assert "br  GET /node/dataset/active  200, but\n" in done.out
    assert "      body.networkName: 'Before' -> 'After'\n" in done.out
    assert "br  HEAD /node  405, as recorded\n" in done.out
    assert done.out.endswith("3 requests, 2 answered as recorded, 1 otherwise\n")
    home.write_text(HOME)
    again = run(capsys, "transcript", "replay", str(file), str(home), "--at-once", "--json")
    assert (again.code, again.out.count('"differences":{}')) == (0, 3)

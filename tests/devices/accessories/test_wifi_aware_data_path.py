"""What is at the end of an accessory's data path, in virtual time: the session, its service, and who is refused."""

import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from devices.accessories.camera_picture import HEIGHT, WIDTH, Scene, picture
from devices.accessories.data_services import Forward, service_named
from devices.errors import ActionRefusedError, ClockError
from devices.event_log import Pattern
from devices.home import Home
from devices.sim.chance import Chance
from devices.transports.data_path import DataPathSession
from devices.transports.data_streams import DataStream
from tests.support.camera_and_viewer import camera, events_of, happened, home_of, open_path, pair, viewer


def _session(home: Home, session: str, asker: str = "viewer") -> DataPathSession | None:
    return home.call(lambda: home.live.site.data_paths.find(session, asker))


def _talk(home: Home, session: DataPathSession, talk: Callable[[DataStream], Awaitable[bytes]]) -> bytes:
    async def run() -> bytes:
        return await talk(session.connect())

    return home.submit(run()).result()


async def _read_all(stream: DataStream) -> bytes:
    said = b""
    while octets := await stream.read():
        said += octets
    return said


def _get(path: str, method: str = "GET") -> Callable[[DataStream], Awaitable[bytes]]:
    async def talk(stream: DataStream) -> bytes:
        await stream.write(f"{method} {path} HTTP/1.1\r\nHost: camera\r\nConnection: close\r\n\r\n".encode())
        return await _read_all(stream)

    return talk


def _opened(home: Home) -> DataPathSession:
    found = _session(home, open_path(home)["session"])
    assert found is not None
    return found


def test_both_sides_of_a_data_path_know_it_by_one_session_id() -> None:
    with home_of(camera(), viewer()) as home:
        pair(home)
        open_path(home)
        ids = [each["session"] for each in home.events.all("EndpointOpened")]
        assert len(ids) == 2
        assert len(set(ids)) == 1
        assert home["camera"].facts["data_paths"][0]["session"] == ids[0]
        assert home["camera"].state == "connected"


def test_two_data_paths_are_two_sessions() -> None:
    with home_of(camera(), viewer()) as home:
        pair(home)
        assert open_path(home)["session"] != open_path(home)["session"]
        assert len(home["camera"].facts["data_paths"]) == 2


def test_a_camera_serves_an_index_page_and_a_picture_that_changes() -> None:
    with home_of(camera(), viewer()) as home:
        pair(home)
        session = _opened(home)
        index, first, second = (_talk(home, session, _get(path)) for path in ("/", "/picture.png", "/picture.png"))
        assert b"200 OK" in index
        assert b'src="picture.png"' in index
        assert first.partition(b"\r\n\r\n")[2].startswith(b"\x89PNG")
        assert first != second
        journal = [(each["method"], each["path"], each["status"]) for each in home.events.all("RequestReceived")]
        assert journal == [("GET", "/", "200"), ("GET", "/picture.png", "200"), ("GET", "/picture.png", "200")]


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/nothing", "GET", b"404"), ("/", "POST", b"405"), ("/", "HEAD", b"200")]
)
def test_a_camera_answers_other_requests_with_their_status(path: str, method: str, status: bytes) -> None:
    with home_of(camera(), viewer()) as home:
        pair(home)
        answer = _talk(home, _opened(home), _get(path, method))
        assert answer.split(b" ")[1] == status
        assert (answer.partition(b"\r\n\r\n")[2] == b"") == (method == "HEAD")


def test_a_connection_to_the_camera_carries_several_requests() -> None:
    async def talk(stream: DataStream) -> bytes:
        await stream.write(2 * b"GET / HTTP/1.1\r\nHost: c\r\n\r\n")
        stream.finish()
        return await _read_all(stream)

    with home_of(camera(), viewer()) as home:
        pair(home)
        assert _talk(home, _opened(home), talk).count(b"200 OK") == 2


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"x" * 200_000])
def test_what_is_no_http_is_answered_and_harms_nothing(said: bytes) -> None:
    async def talk(stream: DataStream) -> bytes:
        await stream.write(said)
        stream.finish()
        return await _read_all(stream)

    with home_of(camera(), viewer()) as home:
        pair(home)
        session = _opened(home)
        assert b"400 Bad Request" in _talk(home, session, talk)
        assert b"200 OK" in _talk(home, session, _get("/"))


def test_an_echo_says_everything_back_on_both_transports() -> None:
    async def talk(stream: DataStream) -> bytes:
        await stream.write(b"hello")
        stream.finish()
        return await _read_all(stream)

    with home_of(camera(data_path={"service": "echo"}), viewer()) as home:
        pair(home)
        session = _opened(home)
        assert _talk(home, session, talk) == b"hello"
        heard: list[bytes] = []
        home.call(lambda: session.open_flow(heard.append).receive(b"datagram"))
        assert heard == [b"datagram"]


def test_a_session_refuses_everyone_after_its_data_path_and_cuts_off_who_is_connected() -> None:
    with home_of(camera(), viewer()) as home:
        pair(home)
        session = _opened(home)
        name = session.name.session
        stream = home.call(session.connect)
        home["viewer"].do("close-data-path").result()
        home.advance("1s")
        with pytest.raises(ActionRefusedError, match="has ended"):
            home.call(session.connect)
        with pytest.raises(ConnectionError):
            home.submit(stream.read()).result()
        assert _session(home, name) is None
        assert happened(home, "camera", "DataPathClosed", "EndpointClosed") == ["DataPathClosed", "EndpointClosed"]


@pytest.mark.parametrize("verb", ["remove-peer", "forget", "factory-reset", "power-off"])
def test_a_removed_peer_has_no_session_any_more(verb: str) -> None:
    with home_of(camera(), viewer()) as home:
        pair(home)
        name = open_path(home)["session"]
        home["camera"].do(verb).result()
        assert _session(home, name) is None
        assert len(events_of(home, "camera", "EndpointClosed")) == 1


def test_a_session_is_found_by_its_two_sides_alone() -> None:
    with home_of(camera(), viewer(), viewer(id="stranger", name="Stranger")) as home:
        pair(home)
        name = open_path(home)["session"]
        assert _session(home, name, "viewer") is not None
        assert _session(home, name, "stranger") is None
        assert _session(home, "0" * 16, "viewer") is None


def test_who_waits_for_a_session_gets_it_when_it_opens() -> None:
    with home_of(camera(), viewer()) as home:
        pair(home)

        async def wait() -> str:
            paths = home.live.site.data_paths
            await home.live.do("viewer", "open-data-path")
            pattern = Pattern("EndpointOpened", actor="viewer")
            opened = await home.live.log.wait(pattern, clock=home.live.clock, within_us=1_000_000)
            assert opened.event is not None
            name = str(opened.event["session"])
            assert paths.find(name, "viewer") is None  # the camera has it when its last frame was acknowledged
            return (await paths.wait(name, "viewer")).name.owner

        assert home.submit(wait()).result() == "camera"


def test_an_unpaired_subscriber_is_refused_at_home() -> None:
    with home_of(camera(), viewer()) as home, pytest.raises(ActionRefusedError, match="data-path-security"):
        home["viewer"].do("open-data-path").result()


def test_an_unpaired_subscriber_is_refused_on_the_air() -> None:
    with home_of(camera(), viewer(data_path={"security": "open"})) as home:
        home["viewer"].do("open-data-path").result()
        home.advance("2s")
        assert [each["rule"] for each in events_of(home, "camera", "DataPathFailed")] == ["data-path-security"]
        assert len(events_of(home, "viewer", "DataPathFailed")) == 1
        assert home.events.all("EndpointOpened") == []


def test_an_open_data_path_needs_no_pairing() -> None:
    table = {"data_path": {"security": "open"}}
    with home_of(camera(**table), viewer(**table)) as home:
        assert b"200 OK" in _talk(home, _opened(home), _get("/"))


@pytest.mark.parametrize("passphrase", ["correct horse", None])
def test_a_passphrase_is_read_off_the_publisher(passphrase: str | None) -> None:
    table: dict[str, Any] = {"data_path": {"security": "passphrase"}}
    given = {"data_path": {"security": "passphrase", "passphrase": passphrase}}
    with home_of(camera(**given), viewer(**table)) as home:
        assert b"200 OK" in _talk(home, _opened(home), _get("/"))
        assert events_of(home, "camera", "DataPathOpened")[0]["security"] == "passphrase"


def test_a_wrong_passphrase_opensnullcontext() -> None:
    table = {"data_path": {"security": "passphrase"}}
    with home_of(camera(**table), viewer(**table)) as home:
        home["viewer"].do("open-data-path", passphrase="wrong horse").result()
        home.advance("5s")
        assert home.events.all("EndpointOpened") == []
        assert len(home.events.all("DataPathFailed")) == 2


@pytest.mark.parametrize(("accept", "opened"), [("never", 0), ("silent", 0), ("after:2s", 2)])
def test_an_owner_decides_on_data_paths_by_policy(accept: str, opened: int) -> None:
    with home_of(camera(data_path={"accept": accept}), viewer()) as home:
        pair(home)
        home["viewer"].do("open-data-path").result()
        home.advance("40s")
        assert len(home.events.all("EndpointOpened")) == opened
        assert home["camera"].facts["requests"] == []


def test_an_owner_can_be_asked_for_a_data_path() -> None:
    with home_of(camera(data_path={"accept": "ask"}), viewer()) as home:
        pair(home)
        home["viewer"].do("open-data-path").result()
        home.advance("1s")
        assert events_of(home, "camera", "ConsentRequested")[0]["call"] == "data-path"
        home["camera"].do("accept").result()
        home.advance("1s")
        assert home["camera"].state == "connected"


def test_a_publisher_opens_no_data_path() -> None:
    with home_of(camera(), viewer()) as home, pytest.raises(ActionRefusedError, match="the subscriber opens"):
        home["camera"].do("open-data-path").result()


def test_a_program_of_the_user_lives_in_real_time() -> None:
    with pytest.raises(ClockError, match="real time"):
        home_of(camera(data_path={"service": "127.0.0.1:8080"})).start()


def test_a_picture_is_a_png_with_the_frame_on_it() -> None:
    scene = Scene.draw(Chance(3).stream("scene"))
    data = picture(scene, 12)
    length, kind = struct.unpack(">I4s", data[8:16])
    assert (length, kind) == (13, b"IHDR")
    assert struct.unpack(">II", data[16:24]) == (WIDTH, HEIGHT)
    start = data.index(b"IDAT")
    size = struct.unpack(">I", data[start - 4 : start])[0]
    raw = zlib.decompress(data[start + 4 : start + 4 + size])
    assert len(raw) == HEIGHT * (1 + 3 * WIDTH)
    assert picture(scene, 13) != data == picture(scene, 12)


def test_a_place_is_forwarded_to() -> None:
    service = service_named(
        "[::1]:80",
        title="",
        facts={},
        journal=lambda method, path, status: None,
        scene=Scene.draw(Chance(1).stream("scene")),
        is_virtual=False,
    )
    assert isinstance(service, Forward)

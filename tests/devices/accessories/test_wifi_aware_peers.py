"""What Wi-Fi Aware accessories remember: through power cycles and programs, under names, until somebody forgets."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from devices.errors import ActionRefusedError, UsageError
from devices.home import Home, HomeOptions, LiveHome
from devices.sim.loop import VirtualTimeLoop
from devices.spec import read_home
from devices.stores.state import StateDirectory
from tests.support.camera_and_viewer import camera, events_of, happened, home_of, open_path, pair, viewer


@contextmanager
def _paired(**changes: Any) -> Iterator[Home]:
    """A home whose camera and viewer are paired."""
    with home_of(camera(**changes), viewer()) as home:
        pair(home)
        yield home


def _ids(home: Home, actor: str) -> list[str]:
    return [each["id"] for each in home[actor].facts["paired"]]


def test_paired_peers_are_listed_and_can_be_renamed() -> None:
    with _paired() as home:
        (peer,) = home["camera"].facts["paired"]
        assert peer["name"] == peer["pairing_name"] == "Viewer"
        assert peer["address"] == home["viewer"].facts["nmi"]
        home["camera"].do("rename-peer", name="Hall", peer=peer["id"]).result()
        assert home["camera"].facts["paired"][0]["name"] == "Hall"
        assert home["camera"].facts["paired"][0]["id"] == peer["id"]
        assert events_of(home, "camera", "PairedDeviceRenamed")[0]["name"] == "Hall"


@pytest.mark.parametrize("by", ["id", "name", "actor", "nothing"])
def test_a_paired_peer_is_removed_by_id_name_actor_or_as_the_only_one(by: str) -> None:
    with _paired() as home:
        texts = {"id": _ids(home, "camera")[0], "name": "Viewer", "actor": "viewer", "nothing": None}
        home["camera"].do("remove-peer", peer=texts[by]).result()
        assert _ids(home, "camera") == []
        assert len(events_of(home, "camera", "PeerRemoved")) == 1


def test_removing_a_stranger_is_refused() -> None:
    with _paired() as home, pytest.raises(ActionRefusedError, match="not paired with 'cat'"):
        home["camera"].do("remove-peer", peer="cat").result()


def test_a_device_that_loses_its_last_peer_waits_for_another() -> None:
    with _paired() as home:
        assert home["camera"].state == "paired"
        home["camera"].do("remove-peer").result()
        assert home["camera"].state == "pairable"


def test_a_pairing_survives_a_restart_of_either_side_and_is_verified_by_itself() -> None:
    with _paired() as home:
        for actor in ("camera", "viewer"):
            home[actor].do("restart").result()
            home.advance("20s")
        assert len(events_of(home, "viewer", "PairingVerified")) == 2
        assert len(events_of(home, "camera", "PairingVerified")) == 2
        assert happened(home, "viewer", "PairingFailed") == []
        assert open_path(home)


def test_without_verification_by_itself_a_data_path_verifies_first() -> None:
    with home_of(camera(), viewer(verification=False)) as home:
        pair(home)
        home["viewer"].do("restart").result()
        home.advance("5s")
        assert events_of(home, "viewer", "PairingVerified") == []
        home["viewer"].do("open-data-path").result()
        home.advance("5s")
        assert happened(home, "viewer", "PairingVerified", "DataPathOpened") == ["PairingVerified", "DataPathOpened"]


def test_a_camera_that_forgot_the_viewer_fails_verification_and_is_paired_again_without_a_loop() -> None:
    with _paired() as home:
        home["camera"].do("forget").result()
        home["viewer"].do("verify").result()
        home.advance("60s")
        assert [each["cause"] for each in events_of(home, "viewer", "PairingFailed")] == ["unknown-peer"]
        assert events_of(home, "viewer", "PeerRemoved")[0]["reason"] == "the peer does not remember it"
        assert _ids(home, "viewer") == _ids(home, "camera") == []
        pair(home)
        assert len(_ids(home, "viewer")) == len(_ids(home, "camera")) == 1
        assert open_path(home)


def test_a_viewer_whose_frames_are_not_understood_asks_who_is_there() -> None:
    with _paired() as home:
        home["camera"].do("forget").result()
        home["viewer"].do("open-data-path").result()
        home.advance("60s")
        assert happened(home, "viewer", "DataPathFailed", "PairingFailed", "PeerRemoved") == [
            "DataPathFailed",
            "PairingFailed",
            "PeerRemoved",
        ]


def test_a_subscriber_that_picks_pairs_again_with_a_device_that_forgot_it() -> None:
    with home_of(camera(), viewer(pick="*")) as home:
        home.advance("5s")
        home["camera"].do("factory-reset").result()
        home.advance("60s")
        assert len(events_of(home, "viewer", "PairingCompleted")) == 2
        assert len(_ids(home, "camera")) == 1
        assert open_path(home)


def test_a_factory_reset_draws_another_identity() -> None:
    with _paired() as home:
        before = _ids(home, "viewer")
        home["camera"].do("factory-reset").result()
        assert home["camera"].state == "pairable"
        home.advance("1s")
        home["viewer"].do("remove-peer").result()
        pair(home)
        assert len(before) == len(_ids(home, "viewer")) == 1
        assert _ids(home, "viewer") != before


def test_a_device_that_was_reset_can_be_paired_beside_its_old_pairing() -> None:
    with _paired() as home:
        home["camera"].do("factory-reset").result()
        home.advance("1s")
        pair(home)
        assert len(_ids(home, "viewer")) == 2
        assert open_path(home)


def test_without_caching_nothing_is_remembered() -> None:
    with _paired(caching=False) as home:
        assert len(events_of(home, "camera", "PairingCompleted")) == 1
        assert _ids(home, "camera") == []


def test_somebody_who_is_not_on_the_air_is_named() -> None:
    with _paired() as home, pytest.raises(UsageError, match="knows nobody called 'cat'"):
        home["camera"].do("accept", peer="cat").result()


def test_a_pairing_survives_the_program(tmp_path: Path) -> None:
    spec = read_home({"accessory": [camera(), viewer()]})

    async def first(state: StateDirectory) -> list[Any]:
        live = LiveHome(spec, HomeOptions(virtual=True, seed=1, state=state))
        await live.start()
        await live.do("viewer", "pair")
        await live.clock.sleep(5_000_000)
        await live.do("camera", "rename-peer", {"name": "Hall"})
        peers = list(live.accessory("camera").facts["paired"])
        await live.stop()
        return peers

    async def second(state: StateDirectory) -> list[Any]:
        # Another seed: other addresses, as after a reboot of devices that draw them anew.
        live = LiveHome(spec, HomeOptions(virtual=True, seed=2, state=state))
        await live.start()
        assert live.accessory("camera").state == "paired"
        await live.clock.sleep(20_000_000)
        verified = [each for each in live.log.since() if each.type == "PairingVerified"]
        assert sorted(each.actor for each in verified) == ["camera", "viewer"]
        peers = list(live.accessory("camera").facts["paired"])
        await live.stop()
        return peers

    with StateDirectory(tmp_path) as state:
        before = _run(first(state))
    with StateDirectory(tmp_path) as state:
        after = _run(second(state))
    assert [each["name"] for each in after] == ["Hall"]
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert [each["address"] for each in after] != [each["address"] for each in before]


def test_what_is_kept_is_json() -> None:
    with _paired() as home:
        state = home.call(lambda: home.live.accessory("camera").dump_state())
        assert json.loads(json.dumps(state)) == state


def _run(story: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story)

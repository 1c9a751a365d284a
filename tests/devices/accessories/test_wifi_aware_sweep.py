"""Whatever the air does to their frames, camera and viewer agree on every key and data path, or neither has one."""

from collections.abc import Iterable

import pytest

from devices.errors import ActionRefusedError
from devices.home import Home
from tests.support.camera_and_viewer import camera, happened, home_of, viewer

ENDINGS = ("PairingCompleted", "PairingFailed", "BootstrappingFailed")


def _faults(probability: float) -> list[dict[str, object]]:
    kinds = (("drop", probability), ("duplicate", probability / 2), ("delay", probability / 2))
    return [{"kind": kind, "probability": part, "medium": "air", "optional": True} for kind, part in kinds]


def _agree_on_keys(home: Home) -> bool:
    def look() -> bool:
        there, here = (home.live.accessory(each) for each in ("camera", "viewer"))
        same = there.device.keys(here.nmi) == here.device.keys(there.nmi)  # type: ignore[attr-defined]
        remembered = [bool(each.device.paired_peers) for each in (there, here)]  # type: ignore[attr-defined]
        return bool(same) and remembered[0] == remembered[1]

    return home.call(look)


def _live_through(seed: int, probability: float) -> None:
    with home_of(camera(), viewer(), seed=seed, fault=_faults(probability)) as home:
        try:
            home["viewer"].do("pair", within="30s").result()
        except ActionRefusedError:
            return  # it never came into view
        home.advance("150s")
        assert happened(home, "viewer", *ENDINGS)
        assert _agree_on_keys(home)
        if happened(home, "viewer", "PairingCompleted"):
            home["viewer"].do("open-data-path").result()
            home.advance("120s")
            paths = [len(home[actor].facts["data_paths"]) for actor in ("camera", "viewer")]
            assert paths[0] == paths[1]
        home["camera"].do("restart").result()
        home.advance("90s")
        assert _agree_on_keys(home)


def _sweep(seeds: Iterable[int]) -> None:
    for seed in seeds:
        _live_through(seed, probability=0.1 + seed % 4 / 10)


def test_a_few_seeds_of_a_bad_air_end_alike_on_both_sides() -> None:
    _sweep(range(4))


@pytest.mark.slow
def test_many_seeds_of_a_bad_air_end_alike_on_both_sides() -> None:
    _sweep(range(4, 204))

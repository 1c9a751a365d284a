"""Faults on the way of a TCAT commissioning over Bluetooth: it ends, both ends agree or know, the next one works."""

from typing import Any

import pytest

from tests.support.thread_home import ThreadHome
from tests.support.thread_network import DATASET

LAMP: dict[str, Any] = {"id": "lamp", "kind": "tcat-device", "pskd": "J01NME"}
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "drop", "probability": 0.3},
    {"kind": "drop", "probability": 0.9},
    {"kind": "drop", "start": "AT", "duration": "2s"},
    {"kind": "drop", "start": "AT", "duration": "60s"},
    {"kind": "drop", "direction": "in", "start": "AT", "duration": "60s"},
    {"kind": "drop", "direction": "out", "start": "AT", "duration": "60s"},
    {"kind": "delay", "delay": "200ms", "jitter": "200ms", "probability": 0.5},
    {"kind": "corrupt", "probability": 0.3},
    {"kind": "duplicate"},
    {"kind": "parts-mid-answer", "start": "AT"},
    {"kind": "refuse-command", "command": "every", "start": "AT"},
    {"kind": "no-answer", "command": "every", "start": "AT"},
    {"kind": "split-answers", "piece": 3, "every": "2ms"},
    {"kind": "small-mtu"},
)


def _check(fault: dict[str, Any], at_ms: int, seed: int) -> None:
    table = {"target": "lamp", "optional": True, **fault}
    table = {name: f"{1_000 + at_ms}ms" if value == "AT" else value for name, value in table.items()}
    where = (fault, at_ms, seed)
    with ThreadHome(1, LAMP, seed=seed, commissioner=[{"id": "installer", "target": "br1"}], fault=[table]) as mesh:
        mesh.wait("1s")
        first = _commission(mesh)
        has_dataset = mesh.node("lamp").active_dataset is not None
        if first == "done":
            assert has_dataset, where
        mesh.wait("90s")
        (installed,) = mesh.home.live.faults
        mesh.home.call(lambda: mesh.home.live.remove_fault(installed))
        mesh.wait("90s")
        if first == "done":
            assert mesh.roles()["lamp"] == "child", where
        again = _commission(mesh)
        assert again == ("invalid-state" if has_dataset else "done"), (again, *where)
        mesh.wait("5s")
        assert mesh.home["lamp"].facts["commissioner"] is None, where


def _commission(mesh: ThreadHome) -> str:
    answer = mesh.do("installer", "tcat-commission", dataset=DATASET.hex(), target="lamp", pskd="J01NME")
    return str(answer.get("verdict", {}).get("rule") or answer["outcome"])


@pytest.mark.parametrize("fault", [FAULTS[0], FAULTS[3], FAULTS[9]], ids=str)
def test_a_commissioning_ends_and_the_next_one_works(fault: dict[str, Any]) -> None:
    _check(fault, 14, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_commissioning_ends_wherever_it_strikes(fault: dict[str, Any]) -> None:
    for at_ms in range(0, 24, 1) if "AT" in fault.values() else (0,):
        for seed in (1, 2, 3):
            _check(fault, at_ms, seed)

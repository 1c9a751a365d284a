"""Faults on connecting, discovering, subscribing and pairing: whatever happens, both ends agree, or both know."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from bumble.core import BaseBumbleError

from devices.home.live import LiveHome
from tests.support.ble_home import Central, run_home, told

SECOND = 1_000_000
HOME = """
[[accessory]]
id = "thermo"
kind = "ble-peripheral"
name = "Thermo"
[[accessory.service]]
uuid = "180f"
[[accessory.service.characteristic]]
uuid = "2a19"
properties = ["read", "notify"]
security = "encrypted"
number = 100
notify = { every = "200ms" }
"""
FAULTS = (
    'kind = "drop"\nprobability = 0.3',
    'kind = "drop"\nprobability = 0.95',
    'kind = "drop"\nstart = "{start}"\nduration = "2s"',
    'kind = "drop"\nstart = "{start}"\nduration = "60s"',
    'kind = "drop"\ndirection = "in"\nstart = "{start}"\nduration = "60s"',
    'kind = "drop"\ndirection = "out"\nstart = "{start}"\nduration = "60s"',
    'kind = "delay"\ndelay = "1s"\njitter = "1s"\nprobability = 0.5',
    'kind = "corrupt"\nprobability = 0.5',
    'kind = "duplicate"',
    'kind = "parts-on-read"\nstart = "{start}"',
    'kind = "small-mtu"',
    'kind = "early-news"',
    'kind = "batched-news"\nhold = "1s"',
    'kind = "rotates-address"\nevery = "300ms"',
)


async def _use(home: LiveHome) -> dict[str, Any]:
    central = await Central.of(home)
    error = ""

    async def all_of_it() -> None:
        connection = await central.connect("thermo")
        level = await central.found(connection, "2a19")
        await level.subscribe(lambda _value: None)
        await connection.pair()
        await level.read_value()

    work = asyncio.ensure_future(all_of_it())
    await asyncio.wait([work], timeout=90)
    if not work.done():
        error = "hangs"
        work.cancel()
    elif work.cancelled():
        error = "cancelled"
    elif work.exception() is not None:
        assert isinstance(work.exception(), BaseBumbleError | asyncio.TimeoutError | TimeoutError), work.exception()
        error = type(work.exception()).__name__
    await home.clock.sleep(70 * SECOND)
    return {
        "error": error,
        "central": (len(central.device.connections), len(await central.device.keystore.get_all())),
        "thermo": (
            len(told(home, "Connected")) - len(told(home, "Disconnected")),
            len(home.accessories["thermo"].facts["bonded"]),
        ),
        "parted": bool(told(home, "Disconnected", "PairingFailed")),
    }


def _check(tmp_path: Path, fault: str, start: str, seed: int) -> None:
    toml = f'{HOME}[[fault]]\ntarget = "thermo"\noptional = true\n{fault.replace("{start}", start)}\n'
    ended = run_home(tmp_path, toml, _use, seed)
    where = (fault, start, seed, ended)
    assert ended["central"][0] == ended["thermo"][0], where
    if ended["central"][1] != ended["thermo"][1]:
        assert ended["error"], where
        assert ended["parted"], where
    if not ended["error"]:
        assert ended["central"][1] == ended["thermo"][1] == 1, where


@pytest.mark.parametrize("fault", [FAULTS[0], FAULTS[3], FAULTS[9]])
def test_both_ends_agree_or_both_know(tmp_path: Path, fault: str) -> None:
    _check(tmp_path, fault, "8ms", seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_both_ends_agree_or_both_know_wherever_it_strikes(tmp_path: Path, fault: str) -> None:
    starts = [f"{at}ms" for at in range(0, 60, 2)] if "{start}" in fault else ["0s"]
    for start in starts:
        for seed in range(1, 4):
            _check(tmp_path, fault, start, seed)

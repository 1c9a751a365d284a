"""The whole story of two Wi-Fi Aware devices over a bad air, seed by seed: pair, restart, verify, open a data path.

Run as a program it lives through many seeds in two processes and counts how they ended:
`python -m tests.support.nan_story --seeds 0..9999`. What breaks on its way fails the frame check, so nobody gets it;
with `--forged` it gets through unacknowledged, as if somebody had forged it.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from pairing.engine import SECOND, Micros
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import CipherSuiteInfo
from pairing.nan.data_path_events import DataPathOpened
from pairing.nan.device import restored
from tests.support.nan_air import CAMERA, PHONE, Fate, Home, Node, home
from tests.support.nan_people import PIN, People, is_paired, pair, pairing_ends, path_ends, verify

OTHER = bytes.fromhex("02000000aa01")
LOSSES, DOUBLES, CORRUPTIONS = (0, 0.1, 0.3, 0.5, 0.7), (0, 0.2), (0, 0.05, 0.2)
DELAYS: tuple[Micros, ...] = (0, 50_000, 900_000)


class OneSidedError(AssertionError):
    """One side has what the other has not, or somebody who began never learnt how it ended."""


class BadAir:
    """Loses, repeats, delays, reorders and corrupts frames as the seed says."""

    def __init__(self, chance: random.Random, *, forged: bool) -> None:
        self._chance = chance
        self._forged = forged
        self._loss, self._doubled = chance.choice(LOSSES), chance.choice(DOUBLES)
        self._delay, self._corrupt = chance.choice(DELAYS), chance.choice(CORRUPTIONS)

    def __call__(self, number: int, frame: bytes) -> Fate:
        chance = self._chance
        if chance.random() < self._loss:
            return Fate(())
        arrivals = [(self._late(), self._maybe_damaged(frame))]
        if chance.random() < self._doubled:
            arrivals.append((int(chance.random() * self._delay), frame))
        return Fate(tuple(each for each in arrivals if self._forged or each[1] == frame))

    def _late(self) -> Micros:
        return int(self._chance.random() * self._delay) if self._chance.random() < 0.3 else 0

    def _maybe_damaged(self, frame: bytes) -> bytes:
        if self._chance.random() >= self._corrupt:
            return frame
        damaged = bytearray(frame)
        damaged[self._chance.randrange(24, len(frame))] ^= 1 << self._chance.randrange(8)
        return bytes(damaged)


def live_through(seed: int, *, forged: bool = False) -> str:
    """One story; how far both came, such as `data path` or `verification failed on both`. Raises OneSidedError."""
    chance = random.Random(seed)
    air = BadAir(chance, forged=forged)
    password = chance.choice((PIN, None))
    suite = chance.choice((7, 8))
    service = {"cipher_suites": CipherSuiteInfo.of(suite)}
    there = home(air, seed=seed, camera_session=service)
    people = People(password, phone_passwords=["000000"] if password and chance.random() < 0.2 else [])
    people.live_in(there)
    pair(there, people.typed(), suite)
    _finish(there)
    if not _agreed(there, seed, "pairing", PHONE):
        return "pairing failed on both"
    there = _later(there, air, service, seed)
    try:
        verify(there)
    except LocalProtocolError:
        return "not seen again"
    _finish(there)
    if not _agreed(there, seed, "verification", OTHER):
        return "verification failed on both"
    try:
        there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now))
    except LocalProtocolError:
        return "not in view for a data path"
    _finish(there)
    return "data path" if _same_path(there, seed) else "data path failed on both"


def _later(there: Home, air: BadAir, service: dict[str, object], seed: int) -> Home:
    """Both have started again with what they remember, the phone under another address."""
    memories = [dict(zip(("nik", "paired"), restored(each.device.snapshot()), strict=True)) for each in _both(there)]
    again = home(
        air,
        seed=f"{seed}/later",
        phone={"nmi": OTHER, "ndi": OTHER[:5] + b"\xf5", **memories[0]},
        camera=memories[1],
        camera_session=service,
    )
    People(PIN).live_in(again)
    return again


def _finish(there: Home) -> None:
    there.wire.run(there.wire.now + 400 * SECOND)


def _both(there: Home) -> tuple[Node, Node]:
    return there.phone, there.camera


def _agreed(there: Home, seed: int, what: str, phone_address: bytes) -> bool:
    keys = there.phone.device.keys(CAMERA), there.camera.device.keys(phone_address)
    ends = [is_paired(each) for each in _both(there)]
    if keys[0] != keys[1] or ends[0] != ends[1] or not pairing_ends(there.phone):
        raise OneSidedError(f"seed {seed}: {what} of phone and camera: {ends}, equal keys: {keys[0] == keys[1]}")
    return ends[0]


def _same_path(there: Home, seed: int) -> bool:
    mine, theirs = (each.device.open_data_paths for each in _both(there))
    if len(mine) != len(theirs) or not path_ends(there.phone):
        raise OneSidedError(f"seed {seed}: data paths of phone and camera: {mine}, {theirs}")
    if mine:
        opened = [each.of(DataPathOpened)[-1].keys.ptk for each in _both(there)]
        if opened[0] != opened[1]:
            raise OneSidedError(f"seed {seed}: a data path under two keys")
    return bool(mine)


def count(seeds: Iterable[int], *, forged: bool = False) -> Counter[str]:
    """How the stories ended; one-sided ones by their seed."""
    ends: Counter[str] = Counter()
    for seed in seeds:
        try:
            ends[live_through(seed, forged=forged)] += 1
        except AssertionError as problem:
            ends[f"ONE-SIDED {problem}"] += 1
    return ends


def main() -> int:
    """Counts on standard output; 1 if any story was one-sided."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", default="0..9999")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--forged", action="store_true")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("..")
    seeds = range(int(first), int(last or first) + 1)
    blocks = [seeds[at : at + 100] for at in range(0, len(seeds), 100)]
    ends: Counter[str] = Counter()
    with ProcessPoolExecutor(given.workers) as workers:
        for done, block in enumerate(workers.map(partial(count, forged=given.forged), blocks), 1):
            ends += block
            print(f"\r{done} of {len(blocks)} blocks", end="", flush=True)
    print()
    for end, number in ends.most_common():
        print(f"{number:7}  {end}")
    return int(any(end.startswith("ONE-SIDED") for end in ends))


if __name__ == "__main__":
    raise SystemExit(main())

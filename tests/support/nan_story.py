"""The whole story of two Wi-Fi Aware devices over a bad air, seed by seed.

They pair, start again with what they remember and one of them under another address, verify, open a data path and close
it. Run as a program it lives through many seeds and counts how they ended, and what was done to the frames:
`python -m tests.support.nan_story --seeds 0..9999`. Of the frames that change on their way every other seed loses them,
as a radio does by its frame check; the others deliver them unacknowledged, as the wire fault `corrupt` does.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from pairing.engine import SECOND, Micros
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import BootstrappingMethods, CipherSuiteInfo
from pairing.nan.data_path_events import DataPathClosed, DataPathOpened
from pairing.nan.device import restored
from pairing.nan.pairing_events import PairingCompleted, PairingVerified
from tests.support.nan_air import CAMERA, NOT_CACHING, PHONE, Fate, Node, home
from tests.support.nan_people import PIN, People, bootstrap, pair, pairing_ends, path_ends, verify

OTHER = bytes.fromhex("02000000aa01")
LOSSES, DOUBLES, CORRUPTIONS = (0, 0.1, 0.3, 0.5, 0.7), (0, 0.2), (0, 0.05, 0.2)
REORDERS = (0, 0.1)
DELAYS: tuple[Micros, ...] = (0, 50_000, 900_000)
HANG = 1_500 * SECOND
"""The longest that one step may go on; each ends by its own patience, the longest of which is a minute."""


class OneSidedError(AssertionError):
    """One side has what the other has not, or somebody who began never learnt how it ended."""


class Way:
    """One direction of the air: loses, repeats, delays, reorders and corrupts frames as the seed says."""

    def __init__(self, chance: random.Random, done: Counter[str], *, forged: bool) -> None:
        self._chance = chance
        self._done = done
        self._forged = forged
        self._loss, self._doubled = chance.choice(LOSSES), chance.choice(DOUBLES)
        self._delay, self._corrupt = chance.choice(DELAYS), chance.choice(CORRUPTIONS)
        self._reordered = chance.choice(REORDERS)

    def carry(self, frame: bytes) -> Fate:
        """What becomes of a frame."""
        if self._happens("drop", self._loss):
            return Fate(())
        arrivals = [(self._late(), self._maybe_damaged(frame))]
        if self._happens("duplicate", self._doubled):
            arrivals.append((int(self._chance.random() * self._delay), frame))
        return Fate(tuple(each for each in arrivals if self._forged or each[1] == frame))

    def _happens(self, what: str, probability: float) -> bool:
        is_hit = self._chance.random() < probability
        self._done[what] += is_hit
        return is_hit

    def _late(self) -> Micros:
        if self._happens("reorder", self._reordered):  # those behind it overtake it
            return 300_000
        return int(self._chance.random() * self._delay) if self._delay and self._happens("delay", 0.3) else 0

    def _maybe_damaged(self, frame: bytes) -> bytes:
        if not self._happens("corrupt", self._corrupt):
            return frame
        damaged = bytearray(frame)
        damaged[self._chance.randrange(24, len(frame))] ^= 1 << self._chance.randrange(8)
        return bytes(damaged)


class BadAir:
    """Both directions, each with its own probabilities."""

    def __init__(self, chance: random.Random, *, forged: bool) -> None:
        self.done: Counter[str] = Counter()
        self._to_camera, self._to_phone = (Way(chance, self.done, forged=forged) for _ in range(2))

    def __call__(self, number: int, frame: bytes) -> Fate:
        return (self._to_phone if frame[10:11] == CAMERA[:1] else self._to_camera).carry(frame)


class Story:
    """One seed. `live` says how far both came; it raises OneSidedError."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._chance = random.Random(seed)
        self.air = BadAir(self._chance, forged=bool(seed % 2))
        self.password = self._chance.choice((PIN, None))
        self.suite = self._chance.choice((7, 8))
        self.is_caching = self._chance.random() < 0.9
        self._phone_address = PHONE
        self._service: dict[str, object] = {"cipher_suites": CipherSuiteInfo.of(self.suite)}
        cached = {} if self.is_caching else {"device_capability_extension": NOT_CACHING}
        self._there = home(self.air, seed=seed, camera_session={**self._service, **cached}, phone_session=cached)

    def live(self) -> str:
        """From strangers to a data path that is closed."""
        self._pair()
        if not self._agreed("pairing"):
            return "pairing failed on both"
        if self.is_caching:
            self._start_again()
            try:
                verify(self._there)
            except LocalProtocolError:
                return "not seen again"
            self._finish()
            if not self._agreed("verification"):
                return "verification failed on both"
        return self._connect()

    def _pair(self) -> None:
        there, chance = self._there, self._chance
        people = People(self.password, ["000000"] if self.password and chance.random() < 0.2 else [])
        people.live_in(there)
        if chance.random() < 0.5:
            method = BootstrappingMethods.PIN_KEYPAD if self.password else BootstrappingMethods.OPPORTUNISTIC
            bootstrap(there, method)  # whoever bootstraps pairs when it is agreed
        else:
            pair(there, people.typed(), self.suite)
        self._finish()

    def _start_again(self) -> None:
        """Both with what they remember, the phone under another address."""
        memories = [dict(zip(("nik", "paired"), restored(each.device.snapshot()), strict=True)) for each in self._both]
        self._phone_address = OTHER
        self._there = home(
            self.air,
            seed=f"{self.seed}/later",
            phone={"nmi": OTHER, "ndi": OTHER[:5] + b"\xf5", **memories[0]},
            camera=memories[1],
            camera_session=self._service,
        )
        People(PIN).live_in(self._there)

    def _connect(self) -> str:
        there = self._there
        try:
            there.wire.do(there.phone, there.phone.device.open_data_path(CAMERA, there.wire.now))
        except LocalProtocolError:
            return "not in view for a data path"
        self._finish()
        mine, theirs = (each.device.open_data_paths for each in self._both)
        if len(mine) != len(theirs) or not path_ends(there.phone):
            raise OneSidedError(f"seed {self.seed}: data paths of phone and camera: {mine}, {theirs}")
        if not mine:
            return "data path failed on both"
        opened = [each.of(DataPathOpened)[-1].keys.ptk for each in self._both]
        if opened[0] != opened[1]:
            raise OneSidedError(f"seed {self.seed}: a data path under two keys")
        self._close()
        return "data path opened and closed"

    def _close(self) -> None:
        closer = self._chance.choice(self._both)
        (number,) = closer.device.open_data_paths
        self._there.wire.do(closer, closer.device.close_data_path(number, self._there.wire.now))
        self._finish()
        left = [(each.device.open_data_paths, bool(each.of(DataPathClosed))) for each in self._both]
        if left != [((), True)] * 2:
            raise OneSidedError(f"seed {self.seed}: a data path that {closer.addresses} closed: {left}")

    @property
    def _both(self) -> tuple[Node, Node]:
        return self._there.phone, self._there.camera

    def _finish(self) -> None:
        """Until nothing is due any more: who hangs is found."""
        wire = self._there.wire
        wire.run(wire.now + HANG)
        busy = [each.addresses[0].hex() for each in self._both if each.device.deadline is not None]
        if busy:
            raise OneSidedError(f"seed {self.seed}: {busy} still wait after {HANG // SECOND} s")
        if self._there.phone.device.waiting_for_user or self._there.camera.device.waiting_for_user:
            raise OneSidedError(f"seed {self.seed}: a question to an owner is left over")

    def _agreed(self, what: str) -> bool:
        """Whether both hold the same keys, and said so; else both hold none, and neither said so."""
        phone, camera = self._both
        keys = phone.device.keys(CAMERA), camera.device.keys(self._phone_address)
        said = [bool(each.of(PairingCompleted) or each.of(PairingVerified)) for each in self._both]
        remembered = [len(each.device.paired_peers) for each in self._both]
        is_paired = keys[0] is not None
        if keys[0] != keys[1] or said != [is_paired] * 2 or remembered[0] != remembered[1] or not pairing_ends(phone):
            came = f"{said}, equal keys: {keys[0] == keys[1]}, remembered: {remembered}"
            raise OneSidedError(f"seed {self.seed}: {what} of phone and camera: {came}")
        return is_paired


def count(seeds: Iterable[int]) -> tuple[Counter[str], Counter[str]]:
    """How the stories ended, one-sided ones by their seed; and what was done to frames."""
    ends: Counter[str] = Counter()
    done: Counter[str] = Counter()
    for seed in seeds:
        story = Story(seed)
        try:
            way = f"{'SAE' if story.password else 'opportunistic'}, suite {story.suite}"
            ends[f"{way:23} {story.live()}"] += 1
        except AssertionError as problem:
            ends[f"ONE-SIDED {problem}"] += 1
        done += story.air.done
    return ends, done


def main() -> int:
    """Counts on standard output; 1 if any story was one-sided."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", default="0..9999", metavar="FIRST..LAST")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    first, _, last = given.seeds.partition("..")
    seeds = range(int(first), int(last or first) + 1)
    blocks = [seeds[at : at + 100] for at in range(0, len(seeds), 100)]
    ends: Counter[str] = Counter()
    done: Counter[str] = Counter()
    began = time.monotonic()
    with ProcessPoolExecutor(given.workers) as workers:
        for number, (block_ends, block_done) in enumerate(workers.map(count, blocks), 1):
            ends += block_ends
            done += block_done
            print(f"\r{number} of {len(blocks)} blocks", end="", flush=True)
    print()
    for end, times in sorted(ends.items()):
        print(f"{times:7}  {end}")
    print("frames:", ", ".join(f"{what} {times}" for what, times in sorted(done.items())))
    one_sided = sum(times for end, times in ends.items() if end.startswith("ONE-SIDED"))
    print(f"{len(seeds)} seeds, {one_sided} one-sided, {time.monotonic() - began:.0f} s")
    return int(bool(one_sided))


if __name__ == "__main__":
    raise SystemExit(main())

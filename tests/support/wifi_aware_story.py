"""A camera and whoever pairs with it, of a home with wire faults on its air, seed by seed.

They pair, one restarts (a phone comes back under another address), they verify, open a data path and close it. Run as a
program it lives through many seeds and counts how they ended: `python -m tests.support.wifi_aware_story --seeds 0..9`.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from devices.controllers.wifi_aware_handset import Handset
from devices.errors import ActionRefusedError
from devices.home import Home
from pairing.nan.device import NanDevice
from tests.support.camera_and_viewer import camera, home_of, viewer

OTHERS = ("viewer", "ios-27", "android-17")
ENDINGS = ("PairingCompleted", "PairingVerified", "PairingFailed", "BootstrappingFailed", "PlatformRefused")
PROBABILITIES = (0, 0.1, 0.3, 0.5)


class OneSidedError(AssertionError):
    """One side has what the other has not, or somebody who began never learnt how it ended."""


def faults(chance: random.Random) -> list[dict[str, object]]:
    """Wire faults on the air, each with its own probability in each direction of the camera."""
    return [
        {"kind": kind, "target": "camera", "direction": direction, "medium": "air", "probability": probability}
        for direction in ("in", "out")
        for kind, most in (("drop", 1.0), ("duplicate", 0.5), ("delay", 0.5), ("reorder", 0.3), ("corrupt", 0.4))
        if (probability := chance.choice(PROBABILITIES) * most)
    ]


class Story:
    """One seed. `live` says how far both came; it raises OneSidedError."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.other = self.chance.choice(OTHERS)
        self.method = "pin" if self.other.startswith("ios") else self.chance.choice(("pin", "opportunistic"))
        self._name = "viewer" if self.other == "viewer" else "phone"

    def live(self) -> str:
        """From strangers to a data path that is closed."""
        shown = "pin-display" if self.method == "pin" else "opportunistic"
        typed = "pin-keypad" if self.method == "pin" else "opportunistic"
        there = camera(pairing={"methods": [shown]})
        guests = [viewer(pairing={"methods": [typed]})] if self.other == "viewer" else []
        phones = [] if guests else [{"id": "phone", "name": "Phone", "profile": self.other}]
        with home_of(there, *guests, phone=phones, seed=self.seed, fault=faults(self.chance)) as home:
            return self._live(home)

    def _live(self, home: Home) -> str:
        if not self._ask(home, "pair", "camera", seconds=150):
            return "never in view"
        if not self._agree(home, "pairing"):
            return "pairing failed on both"
        home[self.chance.choice(("camera", self._name))].do("restart").result()
        home.advance("20s")
        is_open = self._open(home, seconds=150)
        self._agree(home, "verification")
        if not is_open:
            return "no data path on either side"
        (number,) = home.call(lambda: self._devices(home)[1].open_data_paths)
        home[self._name].do("close-data-path" if self._name == "viewer" else "close").result()
        home.advance("60s")
        left = home.call(lambda: [each.open_data_paths for each in self._devices(home)])
        if left != [(), ()]:
            raise OneSidedError(f"seed {self.seed}: data path {number} was closed, and is left: {left}")
        return "data path opened and closed"

    def _ask(self, home: Home, verb: str, target: str, seconds: int) -> bool:
        """Do what the owner begins, and pass the time that it may take; False if the other is not in view."""
        began = home.events.all()[-1].id
        try:
            home[self._name].do(verb, target=target).result()
        except ActionRefusedError:
            return False
        home.advance(f"{seconds}s")
        if not [each for each in home.events.all(after=began) if each.actor == self._name and each.type in ENDINGS]:
            raise OneSidedError(f"seed {self.seed}: {verb} has no end for {self._name}")
        return True

    def _open(self, home: Home, seconds: int) -> bool:
        try:
            if self._name == "viewer":
                home["viewer"].do("open-data-path").result()
            else:
                home["phone"].do("open", target="camera").result()
        except ActionRefusedError:
            pass
        home.advance(f"{seconds}s")
        here, there = home.call(lambda: [each.open_data_paths for each in self._devices(home)])
        if len(here) != len(there):
            raise OneSidedError(f"seed {self.seed}: data paths {here} and {there}")
        return bool(here)

    def _agree(self, home: Home, what: str) -> bool:
        def look() -> tuple[bool, bool, bool]:
            here, there = self._devices(home)
            keys = here.keys(there.device.nmi), there.keys(here.device.nmi)
            # Who restarted and was not verified since has none; the other knows that, and verifies before it goes on.
            is_known = there.has_lost_keys(here.device.nmi) or here.has_lost_keys(there.device.nmi)
            is_equal = keys[0] == keys[1] or (None in keys and is_known)
            return is_equal, bool(here.paired_peers) == bool(there.paired_peers), bool(here.paired_peers)

        are_keys_equal, do_both_remember, is_paired = home.call(look)
        if not are_keys_equal or not do_both_remember:
            raise OneSidedError(f"seed {self.seed}: {what}: equal keys: {are_keys_equal}, memories: {do_both_remember}")
        return is_paired

    def _devices(self, home: Home) -> tuple[NanDevice, NanDevice]:
        here: NanDevice = home.live.accessory("camera").device  # type: ignore[attr-defined]  # a Wi-Fi Aware one
        if self._name == "viewer":
            return here, home.live.accessory("viewer").device  # type: ignore[attr-defined]
        handset: Handset | None = home.live.phone("phone").handset
        assert handset is not None
        return here, handset.aware.device


def count(seeds: Iterable[int]) -> Counter[str]:
    """How the stories ended, one-sided ones by their seed."""
    ends: Counter[str] = Counter()
    for seed in seeds:
        story = Story(seed)
        try:
            ends[f"{story.other:10} {story.method:13} {story.live()}"] += 1
        except AssertionError as problem:
            ends[f"ONE-SIDED {problem}"] += 1
    return ends


def main() -> int:
    """Counts on standard output; 1 if any story was one-sided."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", default="0..999", metavar="FIRST..LAST")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    first, _, last = given.seeds.partition("..")
    seeds = range(int(first), int(last or first) + 1)
    blocks = [seeds[at : at + 20] for at in range(0, len(seeds), 20)]
    ends: Counter[str] = Counter()
    began = time.monotonic()
    with ProcessPoolExecutor(given.workers) as workers:
        for number, block in enumerate(workers.map(count, blocks), 1):
            ends += block
            print(f"\r{number} of {len(blocks)} blocks", end="", flush=True)
    print()
    for end, times in sorted(ends.items()):
        print(f"{times:7}  {end}")
    one_sided = sum(times for end, times in ends.items() if end.startswith("ONE-SIDED"))
    print(f"{len(seeds)} seeds, {one_sided} one-sided, {time.monotonic() - began:.0f} s")
    return int(bool(one_sided))


if __name__ == "__main__":
    raise SystemExit(main())

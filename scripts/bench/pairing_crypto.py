"""What one PASN handshake costs, both ends on one core: `.venv/bin/python scripts/bench/pairing_crypto.py`.

Prints the time of each kind of handshake and of the parts that dominate. Password tokens are made once, as their owner
does; what making one costs stands beside. Exit 1 if password pairings fall below the goal.
"""

import sys
import time
from collections.abc import Callable
from hashlib import shake_256
from statistics import median

from pairing.crypto.curves import P256, P384, EphemeralKey
from pairing.engine import Entropy, Transmit
from pairing.ieee80211.elements import Akm
from pairing.pasn.events import PasnCompleted
from pairing.pasn.initiator import PasnInitiator
from pairing.pasn.key_schedule import SUITES, PasnSuite
from pairing.pasn.responder import PasnResponder
from pairing.pasn.settings import CachedKey, Credential, Opportunistic, PasnSettings, SharedPassword
from pairing.sae.hash_to_element import derive_password_token

GOAL = 100
ROUNDS = 60
ONE, OTHER, CLUSTER = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02", b"\x50\x6f\x9a\x01\0\0"
SSID = b"516F9A010000"


def entropy(seed: int) -> Entropy:
    """A stream of octets that follows from the seed."""
    drawn = 0

    def draw(length: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return shake_256(f"{seed}/{drawn}".encode()).digest(length)

    return draw


def pair(suite: PasnSuite, credential: Credential, seed: int) -> None:
    """One handshake, both ends."""
    initiator = PasnInitiator(
        PasnSettings(own=ONE, peer=OTHER, bssid=CLUSTER, nan=b"\0" * 20, suites=(suite,)), credential, entropy(seed)
    )
    responder = PasnResponder(
        PasnSettings(own=OTHER, peer=ONE, bssid=CLUSTER, nan=b"\0" * 20, suites=(suite,)), entropy(-seed)
    )
    (frame_1,) = initiator.start(0)
    assert isinstance(frame_1, Transmit)
    responder.receive(frame_1.payload, ONE, 0)
    (frame_2,) = responder.accept(credential, 0)
    assert isinstance(frame_2, Transmit)
    frame_3, completed = initiator.receive(frame_2.payload, OTHER, 0)
    assert isinstance(frame_3, Transmit)
    (also_completed,) = responder.receive(frame_3.payload, ONE, 0)
    assert isinstance(completed, PasnCompleted)
    assert isinstance(also_completed, PasnCompleted)
    assert completed.keys == also_completed.keys


def microseconds(work: Callable[[int], object], rounds: int = ROUNDS) -> float:
    """The median time of one call."""
    times = []
    for index in range(rounds):
        begun = time.perf_counter()
        work(index + 1)
        times.append(time.perf_counter() - begun)
    return median(times) * 1e6


def main() -> int:
    """0 when the goal is met."""
    is_met = True
    for suite in SUITES.values():
        token = derive_password_token(suite.group, SSID, b"correct horse")
        kinds: dict[str, Credential] = {
            "password": SharedPassword(token),
            "opportunistic": Opportunistic(),
            "verification": CachedKey(Akm.SAE, bytes(32), bytes(16)),
        }
        for name, credential in kinds.items():
            cost = microseconds(lambda seed, s=suite, c=credential: pair(s, c, seed))  # type: ignore[misc]
            print(f"suite {suite.number} {name:<14} {cost / 1e3:6.2f} ms  {1e6 / cost:6.0f} a second, both ends")
            is_met &= name != "password" or 1e6 / cost >= GOAL
        cost = microseconds(lambda seed, s=suite: derive_password_token(s.group, SSID, str(seed).encode()))  # type: ignore[misc]
        print(f"suite {suite.number} {'password token':<14} {cost / 1e3:6.2f} ms  once per password")
    for curve in (P256, P384):
        point = derive_password_token(curve.group, SSID, b"x").pt
        scalar = int.from_bytes(shake_256(b"scalar").digest(curve.size), "big") % curve.q
        product = microseconds(lambda _, p=point, s=scalar: p * s)  # type: ignore[misc]
        x_only = microseconds(lambda _, c=curve, p=point, s=scalar: c.x_of_product(s, p))  # type: ignore[misc]
        key = microseconds(lambda _, c=curve, s=scalar: EphemeralKey(c, s))  # type: ignore[misc]
        print(f"{curve.name}: product {product:.0f} µs, x of a product {x_only:.0f} µs, ephemeral key {key:.0f} µs")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())

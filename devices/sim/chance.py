"""Seeded chance: one root seed, a separate stream per purpose.

A stream is derived by hash of root and name, so adding a lamp does not shift the lock's chance.
"""

import hashlib
import random
import secrets

MAX_SEED = 2**63 - 1


class Stream(random.Random):
    """A generator for one purpose. `randbytes` is the `Entropy` that engines take."""


class Chance:
    """The root: hands out streams by name; the same name gives a fresh stream from its beginning."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    @classmethod
    def drawn(cls) -> "Chance":
        """A root whose seed comes from the operating system; print `seed`, so that the run can be repeated."""
        return cls(secrets.randbelow(2**31))

    def stream(self, purpose: str) -> Stream:
        """The stream named `purpose`, for example `accessory/br`."""
        digest = hashlib.sha256(f"{self.seed}/{purpose}".encode()).digest()
        return Stream(int.from_bytes(digest, "big"))

"""Bumble's draws from the home's seed: pairing nonces, key pairs and private addresses.

Bumble asks the operating system in module-level functions. They are replaced once, for the whole process, by ones that
look for the stream of the home in whose context they run; outside every home they do what they did.
"""

from contextvars import ContextVar
from typing import Any

from bumble import crypto
from bumble.crypto.cryptography import EccKey

from devices.sim.chance import Stream

_STREAM: ContextVar[Stream | None] = ContextVar("pairlab_bluetooth_chance", default=None)
_GROUP_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_their_r = crypto.r
_their_prand = crypto.generate_prand
_their_generate = EccKey.generate


def seed_bluetooth(stream: Stream) -> None:
    """From now on, everything that runs in this context and in what it starts draws from the stream."""
    _STREAM.set(stream)


def _r() -> bytes:
    stream = _STREAM.get()
    return _their_r() if stream is None else stream.randbytes(16)


def _generate_prand() -> bytes:
    stream = _STREAM.get()
    if stream is None:
        return _their_prand()
    drawn = stream.randbytes(3)
    return drawn[:2] + bytes([drawn[2] & 0x3F | 0x40])


def _generate(_cls: Any) -> EccKey:
    stream = _STREAM.get()
    if stream is None:
        return _their_generate()
    return EccKey.from_private_key_bytes(stream.randrange(1, _GROUP_ORDER).to_bytes(32, "big"))


crypto.r = _r
crypto.generate_prand = _generate_prand
EccKey.generate = classmethod(_generate)  # type: ignore[method-assign,assignment]  # on purpose

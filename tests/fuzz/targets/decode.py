"""Bytes of any layer as `devices.decode` shows them to people."""

from collections.abc import Iterator

from devices.decode.layers import decode, decode_as, layers
from tests.fuzz import corpus
from tests.fuzz.target import Target, decoder
from tests.fuzz.targets.ieee80211 import frames


def samples() -> Iterator[bytes]:
    """Something of every layer."""
    yield from frames()
    yield from corpus.octets("bonjour/*", "txt")
    yield from corpus.octets("thread/*", "hex", "payload_hex")


def shown() -> Iterator[Target]:
    """The guess, and every layer by its name."""
    yield decoder("decode", lambda data: decode(data).as_json(), samples)
    for name, layer in layers().items():
        yield decoder(f"decode-{name}", lambda data, layer=layer: decode_as(layer, data).as_json(), samples)  # type: ignore[misc]


TARGETS = tuple(shown())

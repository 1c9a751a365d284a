"""Known mistakes in an SAE Confirm: which of them, if any, gives exactly the Confirm that came.

Mistakes on the way to PWE (a wrong SSID, the addresses in the wrong order) cannot be told from a wrong password: what
the peer would have got depends on its secrets.
"""

from collections.abc import Iterator

from pairing.crypto.curves import Curve
from pairing.crypto.kdf import hmac_digest, is_equal, kdf
from pairing.sae.messages import SaeCommit, SaeConfirm

LABEL = "SAE KCK and PMK"


def known_mistake(
    curve: Curve, keyseed: bytes, context: bytes, confirm: SaeConfirm, sender: SaeCommit, receiver: SaeCommit
) -> str | None:
    """The mistake in words, or None."""
    found = _candidates(curve, keyseed, context, confirm.send_confirm, sender, receiver)
    return next((mistake for mistake, value in found if is_equal(confirm.confirm, value)), None)


def _candidates(
    curve: Curve, keyseed: bytes, context: bytes, send_confirm: int, sender: SaeCommit, receiver: SaeCommit
) -> Iterator[tuple[str, bytes]]:
    length = curve.hash.size
    kck = kdf(curve.hash, keyseed, LABEL, context, 8 * (length + 32))[:length]
    one, other = sender.scalar + sender.element, receiver.scalar + receiver.element
    little, big = send_confirm.to_bytes(2, "little"), send_confirm.to_bytes(2, "big")
    right = little + one + other
    yield "Confirm covers the receiver's Commit before the sender's", hmac_digest(curve.hash, kck, little + other + one)
    yield "send-confirm is big endian", hmac_digest(curve.hash, kck, big + one + other)
    yield "Confirm does not cover send-confirm", hmac_digest(curve.hash, kck, one + other)
    elements_first = little + sender.element + sender.scalar + receiver.element + receiver.scalar
    yield "Confirm covers elements before scalars", hmac_digest(curve.hash, kck, elements_first)
    short = kdf(curve.hash, keyseed, LABEL, context, 8 * (32 + 32))[:32]
    yield f"KCK of 32 octets, expected {length}", hmac_digest(curve.hash, short, right)
    zero_context = kdf(curve.hash, keyseed, LABEL, bytes(curve.size), 8 * (length + 32))[:length]
    yield "keys derived without the sum of the scalars", hmac_digest(curve.hash, zero_context, right)

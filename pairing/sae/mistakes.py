"""Known mistakes in an SAE Confirm: which of them, if any, gives exactly the Confirm that came.

Only one mistake at a time is tried, so a hit is no guess. Mistakes before PT (a wrong SSID, a changed password) cannot
be told from a wrong password: what the peer would have got depends on its secrets. Those between PT and PWE can: the
peer's PWE is then a known multiple of ours, and so is what it computes from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pairing.crypto.curves import Curve, Point
from pairing.crypto.kdf import Hash, hkdf_extract, hmac_digest, is_equal, kdf
from pairing.sae.messages import SaeCommit, SaeConfirm

LABEL = "SAE KCK and PMK"
PMK_LENGTH = 32


@dataclass(frozen=True, slots=True)
class OwnSecrets:
    """What our side drew and derived: with it, what a peer with another PWE has got can be computed."""

    own: bytes
    peer: bytes
    """The two addresses."""
    pt: Point = field(repr=False)
    val: int = field(repr=False)
    rand: int = field(repr=False)
    mask: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConfirmFacts:
    """What a Confirm follows from. `sender` is its own Commit, `receiver` ours, `context` their sum."""

    curve: Curve
    k: bytes = field(repr=False)
    context: bytes
    confirm: SaeConfirm
    sender: SaeCommit
    receiver: SaeCommit
    secrets: OwnSecrets | None = None

    @property
    def data(self) -> bytes:
        """What a right Confirm covers."""
        commits = self.sender.scalar + self.sender.element + self.receiver.scalar + self.receiver.element
        return self.confirm.send_confirm.to_bytes(2, "little") + commits

    def proof(self, k: bytes, data: bytes | None = None) -> bytes:
        """The Confirm that follows from the secret `k`, right in all else."""
        hash_ = self.curve.hash
        keys = kdf(hash_, hkdf_extract(hash_, b"", k), LABEL, self.context, 8 * (hash_.size + PMK_LENGTH))
        return hmac_digest(hash_, keys[: hash_.size], self.data if data is None else data)


def known_mistake(facts: ConfirmFacts) -> str | None:
    """The mistake in words, or None."""
    came = facts.confirm.confirm
    return next((mistake for mistake, value in _candidates(facts) if is_equal(came, value)), None)


def _candidates(facts: ConfirmFacts) -> Iterator[tuple[str, bytes]]:
    yield from _mistaken_data(facts)
    yield from _mistaken_keys(facts)
    if facts.secrets is not None:
        for mistake, k in _mistaken_secrets(facts, facts.secrets):
            yield mistake, facts.proof(k)


def _mistaken_data(facts: ConfirmFacts) -> Iterator[tuple[str, bytes]]:
    sender, receiver, k = facts.sender, facts.receiver, facts.k
    one, other = sender.scalar + sender.element, receiver.scalar + receiver.element
    little, big = (facts.confirm.send_confirm.to_bytes(2, order) for order in ("little", "big"))
    yield "Confirm covers the receiver's Commit before the sender's", facts.proof(k, little + other + one)
    yield "send-confirm is big endian", facts.proof(k, big + one + other)
    yield "Confirm does not cover send-confirm", facts.proof(k, one + other)
    elements_first = sender.element + sender.scalar + receiver.element + receiver.scalar
    yield "Confirm covers elements before scalars", facts.proof(k, little + elements_first)
    apart = sender.scalar + receiver.scalar + sender.element + receiver.element
    yield "Confirm covers both scalars before both elements", facts.proof(k, little + apart)


def _mistaken_keys(facts: ConfirmFacts) -> Iterator[tuple[str, bytes]]:
    curve, hash_ = facts.curve, facts.curve.hash
    length, seed = hash_.size, hkdf_extract(hash_, b"", facts.k)
    bits = 8 * (length + PMK_LENGTH)
    short = kdf(hash_, seed, LABEL, facts.context, 8 * (32 + PMK_LENGTH))[:32]
    yield f"KCK of 32 octets, expected {length}", hmac_digest(hash_, short, facts.data)
    blank = kdf(hash_, seed, LABEL, bytes(curve.size), bits)[:length]
    yield "keys derived without the sum of the scalars", hmac_digest(hash_, blank, facts.data)
    big = kdf(hash_, seed, LABEL, facts.context, bits, order="big")[:length]
    yield "KDF with its counter and length big endian", hmac_digest(hash_, big, facts.data)
    other = Hash.SHA256 if hash_ is Hash.SHA384 else Hash.SHA384
    keys = kdf(other, hkdf_extract(other, b"", facts.k), LABEL, facts.context, 8 * (other.size + PMK_LENGTH))
    reason = f"group {curve.group} decides"
    yield f"{other.name} in SAE, expected {hash_.name}: {reason}", hmac_digest(other, keys[: other.size], facts.data)
    y = curve.sqrt(curve.right_side(int.from_bytes(facts.k, "big"))) or 0
    for each in (y, curve.p - y):
        yield (
            "keyseed from x and y of the shared point, expected x alone",
            facts.proof(facts.k + curve.encode_number(each % curve.p)),
        )


def _mistaken_secrets(facts: ConfirmFacts, ours: OwnSecrets) -> Iterator[tuple[str, bytes]]:
    """Mistake -> the secret that the peer would have got with it."""
    curve, q = facts.curve, facts.curve.q
    zeros = bytes(curve.hash.size)
    lowest, highest = sorted((ours.own, ours.peer))
    wrong = {
        "PWE from the lower address before the higher": hmac_digest(curve.hash, zeros, lowest + highest),
        "PWE from addresses as text": hmac_digest(curve.hash, zeros, (highest.hex(":") + lowest.hex(":")).encode()),
    }
    right = hmac_digest(curve.hash, zeros, highest + lowest)
    vals = {name: int.from_bytes(value, "big") % (q - 1) + 1 for name, value in wrong.items()}
    vals["PWE from val modulo q, expected val modulo q - 1, plus 1"] = int.from_bytes(right, "big") % q
    vals["PT instead of PWE: the addresses are missing"] = 1
    for mistake, val in vals.items():
        k = _secret_of_other_pwe(facts, ours, val)
        if k is not None:
            yield mistake, k
    pwe = ours.pt * (ours.val % q)
    element = curve.decode_point(facts.sender.element)
    turned = (pwe * int.from_bytes(facts.sender.scalar, "big") + -element) * ours.rand
    if not turned.is_point_at_infinity():
        yield "element is mask·PWE, expected its inverse", curve.encode_number(int(turned.x))


def _secret_of_other_pwe(facts: ConfirmFacts, ours: OwnSecrets, val: int) -> bytes | None:
    """The x coordinate that a peer gets whose PWE is val·PT, ours being ours.val·PT.

    With c = val / ours.val the peer computes rand·(scalar·c·PWE - mask·PWE), where rand·c·PWE is its own scalar·c·PWE
    plus its element.
    """
    curve, q = facts.curve, facts.curve.q
    factor = val * pow(ours.val, -1, q) % q
    theirs = ours.pt * (val * int.from_bytes(facts.sender.scalar, "big") % q)
    theirs = theirs + curve.decode_point(facts.sender.element)
    own_scalar = int.from_bytes(facts.receiver.scalar, "big")
    times = (own_scalar - ours.mask * pow(factor, -1, q)) % q
    if not factor or not times or theirs.is_point_at_infinity():
        return None
    return curve.encode_number(int((theirs * times).x))

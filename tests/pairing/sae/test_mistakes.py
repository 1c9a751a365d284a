"""A peer that takes a wrong turn between password and Confirm is told by the mistake's name, in both groups.

The wrong peers are our engine with one step replaced; the values that need no wrong peer come from the standard
library.
"""

import hashlib
import hmac
from dataclasses import replace

import pytest

from pairing.errors import AuthenticationError
from pairing.sae.engine import SaeEngine
from pairing.sae.hash_to_element import PasswordToken, derive_password_token
from pairing.sae.messages import SaeCommit
from tests.support.recorded_entropy import seeded

LOW, HIGH = bytes.fromhex("020000000001"), bytes.fromhex("060000000002")
SSID = b"516F9A010000"


class LowerFirst(PasswordToken):
    """Orders the addresses the wrong way round."""

    def multiplier(self, one: bytes, other: bytes) -> tuple[bytes, int]:
        addresses = min(one, other) + max(one, other)
        return _val(self, addresses, lambda number, q: number % (q - 1) + 1)


class AsText(PasswordToken):
    """Hashes addresses as people write them."""

    def multiplier(self, one: bytes, other: bytes) -> tuple[bytes, int]:
        addresses = (max(one, other).hex(":") + min(one, other).hex(":")).encode()
        return _val(self, addresses, lambda number, q: number % (q - 1) + 1)


class PlainModulo(PasswordToken):
    """Reduces val modulo q."""

    def multiplier(self, one: bytes, other: bytes) -> tuple[bytes, int]:
        return _val(self, max(one, other) + min(one, other), lambda number, q: number % q)


class NoAddresses(PasswordToken):
    """Takes PT for PWE."""

    def multiplier(self, one: bytes, other: bytes) -> tuple[bytes, int]:
        return b"", 1


def _val(token: PasswordToken, addresses: bytes, reduce: object) -> tuple[bytes, int]:
    name = token.curve.hash.value
    value = hmac.digest(bytes(hashlib.new(name).digest_size), addresses, name)
    return value, reduce(int.from_bytes(value, "big"), token.curve.q)  # type: ignore[operator,no-any-return]


WRONG_PEERS = {
    LowerFirst: "PWE from the lower address before the higher",
    AsText: "PWE from addresses as text",
    PlainModulo: "PWE from val modulo q, expected val modulo q - 1, plus 1",
    NoAddresses: "PT instead of PWE: the addresses are missing",
}


def token(group: int, kind: type[PasswordToken] = PasswordToken, ssid: bytes = SSID) -> PasswordToken:
    right = derive_password_token(group, ssid, b"314159")
    return kind(right.curve, right.pt, right.steps)


def failed(ours: SaeEngine, theirs: SaeEngine) -> str:
    """The mistake by which the Confirm of a wrong peer fails here."""
    own, peer = ours.commit(), theirs.commit()
    ours.receive_commit(peer)
    theirs.receive_commit(own)
    with pytest.raises(AuthenticationError):
        ours.receive_confirm(theirs.confirm())
    return ours.mistake


@pytest.mark.parametrize("group", [19, 20])
@pytest.mark.parametrize("kind", WRONG_PEERS)
@pytest.mark.parametrize("addresses", [(LOW, HIGH), (HIGH, LOW)])
def test_another_pwe_from_the_same_pt_is_told(
    group: int, kind: type[PasswordToken], addresses: tuple[bytes, bytes]
) -> None:
    own, peer = addresses
    ours = SaeEngine(token(group), own, peer, seeded(f"{group}/ours"))
    theirs = SaeEngine(token(group, kind), peer, own, seeded(f"{group}/theirs"))
    assert failed(ours, theirs) == WRONG_PEERS[kind]


@pytest.mark.parametrize("ssid", [bytes.fromhex("516f9a010000"), b"516f9a010000"])
def test_another_ssid_looks_like_another_password(ssid: bytes) -> None:
    ours = SaeEngine(token(19), LOW, HIGH, seeded("ours"))
    theirs = SaeEngine(token(19, ssid=ssid), HIGH, LOW, seeded("theirs"))
    assert failed(ours, theirs) == ""


class Uninverted(SaeEngine):
    """Sends mask·PWE."""

    def commit(self) -> SaeCommit:
        right = super().commit()
        curve = self._curve
        turned = curve.encode_point(-curve.decode_point(right.element))
        return replace(right, element=turned)


@pytest.mark.parametrize("group", [19, 20])
def test_an_element_that_was_not_inverted_is_told(group: int) -> None:
    ours = SaeEngine(token(group), LOW, HIGH, seeded("ours"))
    theirs = Uninverted(token(group), HIGH, LOW, seeded("theirs"))
    own, sent = ours.commit(), theirs.commit()
    ours.receive_commit(sent)
    theirs.receive_commit(own)
    # Its own Confirm covers the Commit that it sent.
    theirs._own = sent
    with pytest.raises(AuthenticationError):
        ours.receive_confirm(theirs.confirm())
    assert ours.mistake == "element is mask·PWE, expected its inverse"


def kdf(key: bytes, label: bytes, context: bytes, bits: int, name: str, order: str = "little") -> bytes:
    length = bits.to_bytes(2, order)  # type: ignore[arg-type]
    return b"".join(
        hmac.digest(key, number.to_bytes(2, order) + label + context + length, name)  # type: ignore[arg-type]
        for number in range(1, 8)
    )


def proof(values: dict[str, bytes], size: int, name: str, k: bytes, order: str = "little") -> bytes:
    """The peer's Confirm from our intermediates, computed with the standard library."""
    length = hashlib.new(name).digest_size
    seed = hmac.digest(bytes(length), k, name)
    total = int.from_bytes(values["own_scalar"], "big") + int.from_bytes(values["peer_scalar"], "big")
    order_q = {32: Q_256, 48: Q_384}[size]
    context = (total % order_q).to_bytes(size, "big")
    kck = kdf(seed, b"SAE KCK and PMK", context, 8 * (length + 32), name, order)[:length]
    covered = values["peer_scalar"] + values["peer_element"] + values["own_scalar"] + values["own_element"]
    return hmac.digest(kck, b"\x01\x00" + covered, name)


Q_256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
Q_384 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973


def exchanged(group: int) -> tuple[SaeEngine, SaeEngine, dict[str, bytes]]:
    ours = SaeEngine(token(group), LOW, HIGH, seeded("ours"))
    theirs = SaeEngine(token(group), HIGH, LOW, seeded("theirs"))
    own, peer = ours.commit(), theirs.commit()
    ours.receive_commit(peer)
    theirs.receive_commit(own)
    return ours, theirs, dict(ours.intermediates)


@pytest.mark.parametrize(("group", "name"), [(19, "sha256"), (20, "sha384")])
def test_the_values_here_agree_with_the_right_confirm(group: int, name: str) -> None:
    ours, theirs, values = exchanged(group)
    confirm = theirs.confirm()
    assert confirm.confirm == proof(values, ours._curve.size, name, values["k"])
    ours.receive_confirm(confirm)


@pytest.mark.parametrize(
    ("group", "name", "order", "mistake"),
    [
        (20, "sha256", "little", "SHA256 in SAE, expected SHA384: group 20 decides"),
        (19, "sha384", "little", "SHA384 in SAE, expected SHA256: group 19 decides"),
        (19, "sha256", "big", "KDF with its counter and length big endian"),
        (20, "sha384", "big", "KDF with its counter and length big endian"),
    ],
)
def test_another_hash_or_byte_order_is_told(group: int, name: str, order: str, mistake: str) -> None:
    ours, theirs, values = exchanged(group)
    wrong = replace(theirs.confirm(), confirm=proof(values, ours._curve.size, name, values["k"], order))
    with pytest.raises(AuthenticationError):
        ours.receive_confirm(wrong)
    assert ours.mistake == mistake


def test_the_whole_shared_point_in_place_of_its_x_is_told() -> None:
    ours, theirs, values = exchanged(19)
    k = int.from_bytes(values["k"], "big")
    y = ours._curve.sqrt(ours._curve.right_side(k))
    assert y is not None
    wrong = replace(theirs.confirm(), confirm=proof(values, 32, "sha256", values["k"] + y.to_bytes(32, "big")))
    with pytest.raises(AuthenticationError):
        ours.receive_confirm(wrong)
    assert ours.mistake == "keyseed from x and y of the shared point, expected x alone"

"""One side of an SAE exchange: makes its Commit and Confirm, judges the peer's, ends with PMK and PMKID.

It has no frames, time or peer address of its own: PASN carries the bodies and decides what a refusal looks like on the
air. Source: IEEE 802.11-2020, 12.4.5 (protocol). The arithmetic saves products: with PWE = val·PT, an element is
-(mask·val)·PT and K is rand·(scalar·val·PT + element), so that PWE itself is computed only when somebody asks for it.
"""

from pairing.crypto.intermediates import Intermediates
from pairing.crypto.kdf import hkdf_extract, hmac_digest, is_equal, kdf
from pairing.engine import Entropy
from pairing.errors import AuthenticationError, DecodeError, LocalProtocolError, RemoteProtocolError
from pairing.ieee80211.frames import StatusCode
from pairing.sae.hash_to_element import PasswordToken
from pairing.sae.messages import SaeCommit, SaeConfirm, require_hash_to_element
from pairing.sae.mistakes import LABEL, PMK_LENGTH, ConfirmFacts, OwnSecrets, known_mistake
from pairing.sae.states import TRANSITIONS, SaeInput, SaeState


class SaeEngine:
    """One side, for one exchange with one peer. `own` and `peer` are the two addresses."""

    def __init__(self, token: PasswordToken, own: bytes, peer: bytes, entropy: Entropy) -> None:
        self.state = SaeState.NOTHING
        self._token = token
        self._curve = token.curve
        self._addresses = (own, peer)
        self._entropy = entropy
        self._val_hash, self._val = token.multiplier(own, peer)
        self._rand = self._mask = 0
        self._own: SaeCommit | None = None
        self._peer: SaeCommit | None = None
        self._derived: dict[str, bytes] = {}
        self._context = b""
        self.mistake = ""
        """The known mistake by which the peer's Confirm failed, if one fits."""

    def commit(self) -> SaeCommit:
        """Our Commit: draws rand, then mask, and both again if their sum has no use."""
        self._move(SaeInput.COMMIT_MADE)
        curve = self._curve
        scalar = 0
        while scalar < 2:
            self._rand = curve.draw_scalar(self._entropy, lowest=2)
            self._mask = curve.draw_scalar(self._entropy, lowest=2)
            scalar = (self._rand + self._mask) % curve.q
        element = -(self._token.pt * (self._mask * self._val % curve.q))
        self._own = SaeCommit(curve.group, curve.encode_number(scalar), curve.encode_point(element))
        return self._own

    def receive_commit(self, commit: SaeCommit) -> None:
        """Derive the keys; raises RemoteProtocolError for a Commit that the standard refuses."""
        self._require(SaeInput.COMMIT_RECEIVED)
        try:
            self._derive(commit)
        except RemoteProtocolError:
            self._move(SaeInput.REFUSED)
            raise
        self._move(SaeInput.COMMIT_RECEIVED)

    def confirm(self, send_confirm: int = 1) -> SaeConfirm:
        """Our Confirm."""
        self._move(SaeInput.CONFIRM_MADE)
        own, peer = self._commits()
        return SaeConfirm(send_confirm, self._proof(send_confirm, own, peer))

    def receive_confirm(self, confirm: SaeConfirm) -> None:
        """Judge the peer's Confirm; raises AuthenticationError if it proves another password."""
        self._require(SaeInput.CONFIRM_RECEIVED)
        own, peer = self._commits()
        if not is_equal(confirm.confirm, self._proof(confirm.send_confirm, peer, own)):
            self._move(SaeInput.REFUSED)
            self.mistake = known_mistake(self._facts(confirm, peer, own)) or ""
            raise AuthenticationError(f"SAE Confirm does not fit: {self.mistake or 'the peer has another password'}")
        self._move(SaeInput.CONFIRM_RECEIVED)

    @property
    def has_keys(self) -> bool:
        """Whether the peer's Commit is in, so that there are PMK and PMKID."""
        return bool(self._derived)

    @property
    def pmk(self) -> bytes:
        """The PMK, once the peer's Commit is in."""
        return self._result("pmk")

    @property
    def pmkid(self) -> bytes:
        """The PMKID, once the peer's Commit is in."""
        return self._result("pmkid")

    @property
    def intermediates(self) -> Intermediates:
        """Every value known so far, by name."""
        curve = self._curve
        values = dict(self._token.steps)
        values["val_hash"] = self._val_hash
        values["val"] = curve.encode_number(self._val)
        values["pwe"] = curve.encode_point(self._token.pt * self._val)
        if self._own is not None:
            values["rand"], values["mask"] = curve.encode_number(self._rand), curve.encode_number(self._mask)
            values["own_scalar"], values["own_element"] = self._own.scalar, self._own.element
        if self._peer is not None:
            values["peer_scalar"], values["peer_element"] = self._peer.scalar, self._peer.element
        return Intermediates({**values, **self._derived})

    def _derive(self, commit: SaeCommit) -> None:
        curve = self._curve
        own = self._made(self._own)
        require_hash_to_element(commit)
        if commit.group != curve.group:
            raise RemoteProtocolError(
                f"SAE Commit uses group {commit.group}, expected {curve.group}",
                StatusCode.UNSUPPORTED_FINITE_CYCLIC_GROUP,
            )
        scalar = int.from_bytes(commit.scalar, "big")
        try:
            element = curve.decode_point(commit.element)
        except DecodeError as error:
            raise RemoteProtocolError(f"SAE Commit: {error.reason}", StatusCode.UNSPECIFIED_FAILURE) from None
        if not 1 < scalar < curve.q:
            raise RemoteProtocolError("SAE Commit: scalar is out of range", StatusCode.UNSPECIFIED_FAILURE)
        if (commit.scalar, commit.element) == (own.scalar, own.element):
            raise RemoteProtocolError("SAE Commit reflects our own", StatusCode.UNSPECIFIED_FAILURE)
        shared = self._token.pt * (scalar * self._val % curve.q) + element
        if shared.is_point_at_infinity():
            raise RemoteProtocolError("SAE Commit leads to the point at infinity", StatusCode.UNSPECIFIED_FAILURE)
        k = curve.x_of_product(self._rand, shared)
        keyseed = hkdf_extract(curve.hash, b"", k)
        context = curve.encode_number((int.from_bytes(own.scalar, "big") + scalar) % curve.q)
        keys = kdf(curve.hash, keyseed, LABEL, context, 8 * (curve.hash.size + PMK_LENGTH))
        kck, pmk = keys[: curve.hash.size], keys[curve.hash.size :]
        self._peer, self._context = commit, context
        self._derived = {"k": k, "keyseed": keyseed, "kck": kck, "pmk": pmk, "pmkid": context[:16]}

    def _facts(self, confirm: SaeConfirm, peer: SaeCommit, own: SaeCommit) -> ConfirmFacts:
        secrets = OwnSecrets(*self._addresses, self._token.pt, self._val, self._rand, self._mask)
        return ConfirmFacts(self._curve, self._derived["k"], self._context, confirm, peer, own, secrets)

    def _proof(self, send_confirm: int, one: SaeCommit, other: SaeCommit) -> bytes:
        data = send_confirm.to_bytes(2, "little") + one.scalar + one.element + other.scalar + other.element
        return hmac_digest(self._curve.hash, self._derived["kck"], data)

    def _commits(self) -> tuple[SaeCommit, SaeCommit]:
        return self._made(self._own), self._made(self._peer)

    def _made(self, commit: SaeCommit | None) -> SaeCommit:
        if commit is None:  # the table does not let it come to this
            raise LocalProtocolError(f"SAE in state {self.state.value}: a Commit is missing")
        return commit

    def _result(self, name: str) -> bytes:
        if name not in self._derived:
            raise LocalProtocolError(f"no {name.upper()} before the peer's Commit")
        return self._derived[name]

    def _require(self, what: SaeInput) -> SaeState:
        after = TRANSITIONS.get((self.state, what))
        if after is None:
            raise LocalProtocolError(f"SAE in state {self.state.value}: {what.value} is not allowed")
        return after

    def _move(self, what: SaeInput) -> None:
        self.state = self._require(what)

"""What both PASN roles hold during one exchange: ephemeral key, SAE side, keys, MICs, and the values on the way.

It decides nothing: it raises what is wrong with the peer's proof, and the role turns that into frames and events.
Source: IEEE 802.11az-2022, 12.13.
"""

from pairing.crypto.curves import EphemeralKey, PublicKey
from pairing.crypto.intermediates import Intermediates
from pairing.crypto.kdf import is_equal
from pairing.engine import Entropy
from pairing.errors import AuthenticationError, LocalProtocolError
from pairing.ieee80211 import elements as ie
from pairing.ieee80211.elements import Comeback, Element, PasnParameters, Rsne, WrappedDataFormat
from pairing.pasn.events import PasnIntermediates, PasnKeys
from pairing.pasn.key_schedule import (
    PASN_PMK,
    PasnPtk,
    PasnSuite,
    compute_mic,
    derive_ptk,
    frame_1_digest,
    mic_input,
)
from pairing.pasn.messages import PasnFrame, public_key
from pairing.pasn.mistakes import MicFacts, known_mistake
from pairing.pasn.settings import CachedKey, Credential, Opportunistic, SharedPassword
from pairing.sae.engine import SaeEngine


class Exchange:
    """One side of one exchange. Draws the ephemeral scalar first, then SAE's rand and mask."""

    def __init__(
        self, credential: Credential, suite: PasnSuite, own: bytes, peer: bytes, entropy: Entropy, *, initiates: bool
    ) -> None:
        self.credential = credential
        self.suite = suite
        self.akm = credential.akm
        self._initiator, self._responder = (own, peer) if initiates else (peer, own)
        self._key = EphemeralKey(suite.curve, suite.curve.draw_scalar(entropy))
        self._values = {"ecdh_private": suite.curve.encode_number(self._key.scalar)}
        self.sae: SaeEngine | None = None
        if isinstance(credential, SharedPassword):
            if credential.token.curve.group != suite.group:
                raise LocalProtocolError(f"password token is for {credential.token.curve.name}, not for this suite")
            self.sae = SaeEngine(credential.token, own, peer, entropy)
            self.commit = self.sae.commit()
        self._ptk: PasnPtk | None = None
        self._pmk = b""
        self._mistake = ""

    # Elements of our frames

    def rsne(self, pmkids: tuple[bytes, ...]) -> Element:
        """Our RSNE."""
        return Rsne((self.suite.cipher,), (self.akm,), pmkids).encode()

    def rsnxe(self) -> Element | None:
        """Our RSNXE; a pairing without authentication has none."""
        if isinstance(self.credential, Opportunistic):
            return None
        return ie.rsnxe(hash_to_element=self.akm is ie.Akm.SAE)

    @property
    def wrapped_format(self) -> WrappedDataFormat:
        """What our Wrapped Data holds."""
        return WrappedDataFormat.NONE if self.sae is None else WrappedDataFormat.SAE

    def parameters(self, cookie: Comeback | None = None, group: int | None = None) -> Element:
        """Our PASN Parameters with our public key; a lie names another group."""
        named = self.suite.group if group is None else group
        return PasnParameters(self.wrapped_format, named, public_key(self._key.public_x), cookie).encode()

    def own_pmkids(self) -> tuple[bytes, ...]:
        """The PMKIDs of our RSNE: that of a cached key, or of SAE once both Commits are there."""
        if isinstance(self.credential, CachedKey):
            return (self.credential.pmkid,)
        return () if self.sae is None or not self.sae.has_keys else (self.sae.pmkid,)

    # Keys

    def derive(self, peer_key: PublicKey) -> None:
        """PMK, ECDH and PTK; with a password, the peer's Commit must be in."""
        match self.credential:
            case Opportunistic():
                self._pmk = PASN_PMK
            case CachedKey(pmk=pmk):
                self._pmk = pmk
            case SharedPassword():
                self._pmk = self.sae.pmk if self.sae is not None else b""
        shared = self._key.agree(peer_key)
        self._ptk = derive_ptk(self.suite, self.akm, self._pmk, self._initiator, self._responder, shared)
        ptk = self._ptk
        self._values |= {"dh_shared_secret": shared, "pmk": self._pmk, "ptk": ptk.kck + ptk.tk + ptk.kdk}
        self._values |= {"kck": ptk.kck, "tk": ptk.tk, "kdk": ptk.kdk}

    @property
    def keys(self) -> PasnKeys:
        """The outcome."""
        return PasnKeys(self._initiator, self._responder, self.suite, self.akm, self._pmk, self._derived())

    def mic_2(self, frame: PasnFrame) -> bytes:
        """The MIC of frame 2, ours or the peer's, whose own MIC may be anything."""
        return self._mic("mic2", self._responder, self._initiator, frame.covered_elements, frame)

    def mic_3(self, body_1: bytes, frame: PasnFrame) -> bytes:
        """The MIC of frame 3, ours or the peer's, whose own MIC may be anything."""
        covered = frame_1_digest(self.suite.pasn_hash(self.akm), body_1)
        return self._mic("mic3", self._initiator, self._responder, covered, frame)

    def check_mic_2(self, body_1: bytes, frame: PasnFrame) -> None:
        """Raise AuthenticationError unless the peer's frame 2 carries the right MIC."""
        self._check_mic(frame, self.mic_2(frame), body_1)

    def check_mic_3(self, body_1: bytes, frame: PasnFrame) -> None:
        """Raise AuthenticationError unless the peer's frame 3 carries the right MIC."""
        self._check_mic(frame, self.mic_3(body_1, frame), body_1)

    @property
    def mistake(self) -> str:
        """The known mistake by which the peer's proof failed, if one fits."""
        return self._mistake or ("" if self.sae is None else self.sae.mistake)

    @property
    def kck(self) -> bytes | None:
        """The key of the MICs, once it is derived."""
        return self._values.get("kck")

    @property
    def intermediates(self) -> PasnIntermediates:
        """Every value known so far, by name."""
        sae = Intermediates() if self.sae is None else self.sae.intermediates
        return PasnIntermediates(Intermediates(self._values), sae)

    def _check_mic(self, frame: PasnFrame, expected: bytes, body_1: bytes) -> None:
        if frame.mic is not None and is_equal(frame.mic, expected):
            return
        facts = MicFacts(
            suite=self.suite,
            akm=self.akm,
            initiator=self._initiator,
            responder=self._responder,
            pmk=self._pmk,
            shared=self._values["dh_shared_secret"],
            frame=frame,
            body_1=body_1,
        )
        self._mistake = known_mistake(facts) or ""
        length = "no MIC" if frame.mic is None else f"MIC of {len(frame.mic)} octets"
        suited = f"{len(expected)} octets for suite {self.suite.number} with AKM {self.akm.name}"
        cause = self._mistake or "another key, or a frame changed on its way"
        raise AuthenticationError(f"PASN frame {frame.transaction}: {length}, expected another of {suited}: {cause}")

    def _mic(self, name: str, sender: bytes, receiver: bytes, data: bytes, frame: PasnFrame) -> bytes:
        covered = mic_input(sender, receiver, data, frame.with_zero_mic())
        value = compute_mic(self.suite.pasn_hash(self.akm), self._derived().kck, covered)
        self._values |= {f"{name}_input": covered, name: value}
        return value

    def _derived(self) -> PasnPtk:
        if self._ptk is None:
            raise LocalProtocolError("no PTK before the peer's key")
        return self._ptk

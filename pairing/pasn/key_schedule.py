"""From PMK and ECDH to PASN-PTK and the MICs of frames 2 and 3, for the two cipher suites of NAN pairing.

The hash follows the AKM: suite 8 with a password hashes with SHA-384 inside SAE, SHA-256 here, and SHA-384 again for
what `pairing.nan` derives from KDK. Source: IEEE 802.11az-2022, 12.13.8 (PTKSA derivation), 12.13.3 (MICs).
"""

from dataclasses import dataclass, field

from pairing.crypto.curves import CURVES, Curve
from pairing.crypto.kdf import Hash, digest, hmac_digest, kdf
from pairing.ieee80211.elements import Akm, CipherSuite

PASN_PMK = b"PMKz" + bytes(28)
"""The PMK of a pairing without authentication."""
KCK_LENGTH = KDK_LENGTH = 32
MIC_LENGTHS = {Hash.SHA256: 16, Hash.SHA384: 24}


@dataclass(frozen=True, slots=True)
class PasnSuite:
    """A NAN pairing cipher suite: its number in NAN, the pairwise cipher, the group, and the hash of the layers around
    PASN."""

    number: int
    cipher: CipherSuite
    group: int
    hash: Hash
    tk_length: int

    @property
    def curve(self) -> Curve:
        """The curve of the ephemeral keys and of SAE."""
        return CURVES[self.group]

    def pasn_hash(self, akm: Akm) -> Hash:
        """The hash of PASN-PTK and MICs."""
        return self.hash if akm is Akm.PASN else Hash.SHA256

    def mic_length(self, akm: Akm) -> int:
        """Octets of the MIC element."""
        return MIC_LENGTHS[self.pasn_hash(akm)]


NCS_PK_PASN_128 = PasnSuite(7, CipherSuite.CCMP_128, 19, Hash.SHA256, 16)
NCS_PK_PASN_256 = PasnSuite(8, CipherSuite.GCMP_256, 20, Hash.SHA384, 32)
SUITES = {suite.number: suite for suite in (NCS_PK_PASN_128, NCS_PK_PASN_256)}
"""NAN cipher suite id -> suite."""


@dataclass(frozen=True, slots=True)
class PasnPtk:
    """KCK, TK and KDK; no KEK is cut from it. NAN calls them NM-KCK, NM-TK and NM-KDK."""

    kck: bytes = field(repr=False)
    tk: bytes = field(repr=False)
    kdk: bytes = field(repr=False)


def derive_ptk(suite: PasnSuite, akm: Akm, pmk: bytes, initiator: bytes, responder: bytes, shared: bytes) -> PasnPtk:
    """PASN-PTK from the PMK, the two addresses and the x coordinate of the ECDH point."""
    length = KCK_LENGTH + suite.tk_length + KDK_LENGTH
    context = initiator + responder + shared
    ptk = kdf(suite.pasn_hash(akm), pmk, "PASN PTK Derivation", context, 8 * length)
    end_of_tk = KCK_LENGTH + suite.tk_length
    return PasnPtk(ptk[:KCK_LENGTH], ptk[KCK_LENGTH:end_of_tk], ptk[end_of_tk:])


def mic_input(sender: bytes, receiver: bytes, data: bytes, body: bytes) -> bytes:
    """What a MIC covers; `body` has zeros in its MIC element."""
    return sender + receiver + data + body


def compute_mic(algorithm: Hash, kck: bytes, covered: bytes) -> bytes:
    """The MIC over what `mic_input` gave."""
    return hmac_digest(algorithm, kck, covered)[: MIC_LENGTHS[algorithm]]


def frame_1_digest(algorithm: Hash, body_1: bytes) -> bytes:
    """What the MIC of frame 3 covers of frame 1."""
    return digest(algorithm, body_1)

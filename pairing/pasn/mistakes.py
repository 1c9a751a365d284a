"""Known mistakes in PASN's MICs: which of them, if any, gives exactly the MIC that came.

Only one mistake at a time is tried, so a hit is no guess. A wrong PMK fits none of them.
Source: what implementers of NAN pairing are known to trip over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pairing.crypto.kdf import Hash, hmac_digest, is_equal, kdf
from pairing.ieee80211.elements import Akm, ElementId
from pairing.pasn.key_schedule import MIC_LENGTHS, PasnSuite, frame_1_digest
from pairing.pasn.messages import PasnFrame

KCK = 32
LABEL = "PASN PTK Derivation"


@dataclass(frozen=True, slots=True)
class MicFacts:
    """What a MIC follows from: the exchange, the frame that carries it, and frame 1 for the MIC of frame 3."""

    suite: PasnSuite
    akm: Akm
    initiator: bytes
    responder: bytes
    pmk: bytes = field(repr=False)
    shared: bytes = field(repr=False)
    frame: PasnFrame
    body_1: bytes = b""

    @property
    def hash(self) -> Hash:
        """The right hash."""
        return self.suite.pasn_hash(self.akm)

    @property
    def bits(self) -> int:
        """The right length of PASN-PTK."""
        return 8 * (KCK + self.suite.tk_length + 32)

    def kck(self, context: bytes = b"", bits: int = 0, algorithm: Hash | None = None) -> bytes:
        """KCK, with something else in place of what is right."""
        right = self.initiator + self.responder + self.shared
        return kdf(algorithm or self.hash, self.pmk, LABEL, context or right, bits or self.bits)[:KCK]

    @property
    def addresses(self) -> bytes:
        """Sender, then receiver."""
        return self.responder + self.initiator if self.frame.transaction == 2 else self.initiator + self.responder

    @property
    def data(self) -> bytes:
        """What is covered between addresses and body."""
        if self.frame.transaction == 2:
            return self.frame.covered_elements
        return frame_1_digest(self.hash, self.body_1)


def known_mistake(facts: MicFacts) -> str | None:
    """The mistake that gives exactly the MIC of the frame, in words, or None."""
    came = facts.frame.mic or b""
    return next((mistake for mistake, value in _candidates(facts) if is_equal(came, value)), None)


def _candidates(facts: MicFacts) -> Iterator[tuple[str, bytes]]:
    """Mistake -> the MIC that it gives."""
    kck, body = facts.kck(), facts.frame.with_zero_mic()
    swapped = facts.addresses[6:] + facts.addresses[:6]
    yield "MIC covers receiver || sender instead of sender || receiver", _mic(facts, kck, swapped + facts.data + body)
    covered = facts.addresses + facts.data
    yield "MIC covers the body without its MIC element", _mic(facts, kck, covered + _without_mic(facts.frame))
    named = "RSNE and RSNXE before" if facts.frame.transaction == 2 else "hash of frame 1 before"
    yield f"MIC lacks the {named} the body", _mic(facts, kck, facts.addresses + body)
    yield from _mistaken_data(facts, kck, body)
    for mistake, wrong in _mistaken_keys(facts):
        yield mistake, _mic(facts, wrong, covered + body)
    other = Hash.SHA256 if facts.hash is Hash.SHA384 else Hash.SHA384
    reason = "the AKM decides" if facts.akm is Akm.SAE else "the cipher suite decides"
    value = hmac_digest(other, facts.kck(algorithm=other), covered + body)[: MIC_LENGTHS[other]]
    yield f"{other.name} for PTK and MIC, expected {facts.hash.name}: {reason}", value


def _mistaken_data(facts: MicFacts, kck: bytes, body: bytes) -> Iterator[tuple[str, bytes]]:
    if facts.frame.transaction == 2:
        rsne, rsnxe = facts.frame.find(ElementId.RSN), facts.frame.find(ElementId.RSNXE)
        bodies = b"".join(each.body for each in (rsne, rsnxe) if each is not None)
        yield "MIC covers RSNE and RSNXE without their headers", _mic(facts, kck, facts.addresses + bodies + body)
        alone = b"" if rsne is None else rsne.encode()
        yield "MIC covers the RSNE without the RSNXE", _mic(facts, kck, facts.addresses + alone + body)
    else:
        yield "MIC covers frame 1 instead of its hash", _mic(facts, kck, facts.addresses + facts.body_1 + body)


def _mistaken_keys(facts: MicFacts) -> Iterator[tuple[str, bytes]]:
    turned = facts.responder + facts.initiator + facts.shared
    yield "PTK from responder || initiator instead of initiator || responder", facts.kck(context=turned)
    yield "PTK without KDK", facts.kck(bits=8 * (KCK + facts.suite.tk_length))
    yield "PTK with a KEK between KCK and TK", facts.kck(bits=facts.bits + 8 * facts.suite.tk_length)


def _mic(facts: MicFacts, kck: bytes, covered: bytes) -> bytes:
    return hmac_digest(facts.hash, kck, covered)[: MIC_LENGTHS[facts.hash]]


def _without_mic(frame: PasnFrame) -> bytes:
    elements = tuple(each for each in frame.elements if each.id != ElementId.MIC)
    return PasnFrame(frame.transaction, elements, frame.status).encode()

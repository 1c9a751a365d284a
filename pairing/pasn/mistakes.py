"""Known mistakes in PASN's MICs: which of them, if any, gives exactly the MIC that came.

Only one mistake at a time is tried, so a hit is no guess. A wrong PMK fits none of them.
Source: what implementers of NAN pairing are known to trip over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pairing.crypto.kdf import Hash, digest, hmac_digest, is_equal, kdf
from pairing.ieee80211.elements import Akm, ElementId
from pairing.pasn.key_schedule import MIC_LENGTHS, PASN_PMK, PasnSuite, frame_1_digest
from pairing.pasn.messages import PasnFrame

KCK = 32
LABEL = "PASN PTK Derivation"
_TELLING = 8
"""Octets that a MIC of the wrong length has at least, so that it does not fit by chance."""


@dataclass(frozen=True, slots=True)
class MicFacts:
    """What a MIC follows from: the exchange, the frame that carries it, and the body of frame 1."""

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

    def kck(
        self,
        *,
        context: bytes = b"",
        bits: int = 0,
        algorithm: Hash | None = None,
        pmk: bytes | None = None,
        label: str = LABEL,
        order: Literal["little", "big"] = "little",
    ) -> bytes:
        """KCK, with something else in place of what is right."""
        right = self.initiator + self.responder + self.shared
        key = self.pmk if pmk is None else pmk
        return kdf(algorithm or self.hash, key, label, context or right, bits or self.bits, order=order)[:KCK]

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
    if facts.frame.mic is not None and len(facts.frame.mic) >= _TELLING:
        length, right = len(facts.frame.mic), MIC_LENGTHS[facts.hash]
        yield f"MIC of {length} octets, expected {right}", hmac_digest(facts.hash, kck, covered + body)[:length]


def _mistaken_data(facts: MicFacts, kck: bytes, body: bytes) -> Iterator[tuple[str, bytes]]:
    rsne, rsnxe = facts.frame.find(ElementId.RSN), facts.frame.find(ElementId.RSNXE)
    if facts.frame.transaction == 2:
        bodies = b"".join(each.body for each in (rsne, rsnxe) if each is not None)
        yield "MIC covers RSNE and RSNXE without their headers", _mic(facts, kck, facts.addresses + bodies + body)
        alone = b"" if rsne is None else rsne.encode()
        yield "MIC covers the RSNE without the RSNXE", _mic(facts, kck, facts.addresses + alone + body)
        for element in _elements_of_frame_1(facts):
            covered = facts.addresses + element + body
            yield "MIC covers RSNE and RSNXE of frame 1, expected those of frame 2", _mic(facts, kck, covered)
    else:
        yield "MIC covers frame 1 instead of its hash", _mic(facts, kck, facts.addresses + facts.body_1 + body)
        other = Hash.SHA256 if facts.hash is Hash.SHA384 else Hash.SHA384
        hashed = frame_1_digest(other, facts.body_1)
        yield f"{other.name} for the hash of frame 1", _mic(facts, kck, facts.addresses + hashed + body)


def _elements_of_frame_1(facts: MicFacts) -> Iterator[bytes]:
    if facts.body_1:
        yield PasnFrame.decode(facts.body_1).covered_elements


def _mistaken_keys(facts: MicFacts) -> Iterator[tuple[str, bytes]]:
    turned = facts.responder + facts.initiator + facts.shared
    yield "PTK from responder || initiator instead of initiator || responder", facts.kck(context=turned)
    yield "PTK without KDK", facts.kck(bits=8 * (KCK + facts.suite.tk_length))
    yield "PTK with a KEK between KCK and TK", facts.kck(bits=facts.bits + 8 * facts.suite.tk_length)
    yield "KDF with its counter and length big endian", facts.kck(order="big")
    yield "KDF label with a zero octet after it", facts.kck(label=f"{LABEL}\0")
    yield from _mistaken_shared_secret(facts)
    if facts.akm is Akm.PASN and facts.pmk == PASN_PMK:
        yield 'PMK of zeros, expected "PMKz" and zeros after it', facts.kck(pmk=bytes(len(PASN_PMK)))


def _mistaken_shared_secret(facts: MicFacts) -> Iterator[tuple[str, bytes]]:
    curve, addresses = facts.suite.curve, facts.initiator + facts.responder
    y = curve.sqrt(curve.right_side(int.from_bytes(facts.shared, "big")))
    for each in () if y is None else (y, curve.p - y):
        whole = facts.shared + curve.encode_number(each % curve.p)
        yield "PTK from x and y of the ECDH point, expected x alone", facts.kck(context=addresses + whole)
    reversed_x = facts.shared[::-1]
    yield "ECDH coordinate little endian, expected big endian", facts.kck(context=addresses + reversed_x)
    first = facts.shared + addresses
    yield "PTK from the ECDH secret before the addresses", facts.kck(context=first)
    hashed = digest(facts.hash, facts.shared)
    yield "PTK from a hash of the ECDH secret", facts.kck(context=addresses + hashed)


def _mic(facts: MicFacts, kck: bytes, covered: bytes) -> bytes:
    return hmac_digest(facts.hash, kck, covered)[: MIC_LENGTHS[facts.hash]]


def _without_mic(frame: PasnFrame) -> bytes:
    elements = tuple(each for each in frame.elements if each.id != ElementId.MIC)
    return PasnFrame(frame.transaction, elements, frame.status).encode()

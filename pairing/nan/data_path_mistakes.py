"""Known mistakes in the names and proofs of data paths: which of them, if any, gives exactly what came.

Only one mistake at a time is tried, so a hit is no guess. Another passphrase or key fits none of them.
Source: what implementers of NAN data paths are known to trip over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pairing.crypto.kdf import Hash, digest, hmac_digest, is_equal
from pairing.ieee80211.frames import Category
from pairing.nan.attributes import KeyDescriptor, NanAttributeId, SecurityContextInfo, SharedKeyDescriptor
from pairing.nan.data_path_keys import body_of, with_mic
from pairing.nan.data_path_terms import DataPathTerms
from pairing.nan.frames import NanActionFrame
from pairing.nan.identifiers import BROADCAST
from pairing.nan.key_schedule import (
    NdPtk,
    data_path_mic,
    data_path_mic_length,
    nd_pmkid,
    nd_pmkid_input,
    nd_ptk,
    suite_hash,
)
from pairing.nan.pmk_mistakes import NO_SOURCE, PmkSource, mistaken_pmks
from pairing.nan.service_id import service_id_as_spelled

NAF_HEAD = 7
"""Octets of an action frame's body before its attributes."""
MIC_AT = 78
"""Where the MIC is in an SKDA."""


@dataclass(frozen=True, slots=True)
class PmkidFacts:
    """What an ND-PMKID follows from."""

    terms: DataPathTerms
    pmk: bytes = field(repr=False)
    source: PmkSource = NO_SOURCE
    """Where the PMK comes from, so that a peer's wrong one can be told."""


def known_pmkid_mistake(facts: PmkidFacts, contexts: SecurityContextInfo | None) -> str | None:
    """The mistake behind an SCIA that does not name our PMK for the publish ID."""
    if contexts is None or not contexts.contexts:
        return "the SCIA is missing"
    terms = facts.terms
    addresses = (terms.initiator_nmi, terms.responder_nmi, terms.service_id)
    right = nd_pmkid(terms.suite, facts.pmk, *addresses)
    for each in contexts.contexts:
        if each.value == right and each.publish_id != terms.publish_id:
            return f"the SCIA is for ID {each.publish_id}; in all frames it is for the responder's, {terms.publish_id}"
        if each.value == right:
            return f"security context of type {each.type}, expected 1 (ND-PMKID)"
    named = [each.value for each in contexts.contexts]
    return next((mistake for mistake, value in _pmkids(facts) if any(is_equal(value, came) for came in named)), None)


def _pmkids(facts: PmkidFacts) -> Iterator[tuple[str, bytes]]:
    terms, pmk = facts.terms, facts.pmk
    suite, service = terms.suite, terms.service_id
    initiator, responder = terms.initiator_nmi, terms.responder_nmi
    yield "ND-PMKID from responder || initiator", nd_pmkid(suite, pmk, responder, initiator, service)
    yield (
        "the published ND-PMKID, made for any initiator, instead of one of its own",
        nd_pmkid(suite, pmk, BROADCAST, responder, service),
    )
    ndis = (terms.initiator_ndi, terms.responder_ndi)
    yield "ND-PMKID from data interface instead of management addresses", nd_pmkid(suite, pmk, *ndis, service)
    mixed = nd_pmkid(suite, pmk, terms.initiator_ndi, responder, service)
    yield "ND-PMKID from the initiator's data interface", mixed
    other = Hash.SHA256 if suite_hash(suite) is Hash.SHA384 else Hash.SHA384
    covered = nd_pmkid_input(initiator, responder, service)
    yield f"{other.name} for ND-PMKID: the cipher suite decides", hmac_digest(other, pmk, covered)[:16]
    spelled = service_id_as_spelled(terms.service)
    if spelled != service:
        yield (
            "ND-PMKID with the service name hashed without lower-casing",
            nd_pmkid(suite, pmk, initiator, responder, spelled),
        )
    yield "ND-PMKID without its label", hmac_digest(suite_hash(suite), pmk, covered[len(b"NAN PMK Name") :])[:16]
    for mistake, wrong in mistaken_pmks(facts.source, terms):
        yield mistake, nd_pmkid(suite, wrong, initiator, responder, service)


@dataclass(frozen=True, slots=True)
class MicFacts:
    """What a MIC follows from."""

    terms: DataPathTerms
    pmk: bytes = field(repr=False)
    ptk: NdPtk = field(repr=False)
    values: Mapping[str, bytes] = field(repr=False)
    frame: NanActionFrame
    descriptor: KeyDescriptor
    number: int


def known_mic_mistake(facts: MicFacts) -> str | None:
    """The mistake that gives exactly the MIC of the message."""
    came = facts.descriptor.mic
    return next((mistake for mistake, value in _mics(facts) if is_equal(value, came)), None)


def _mics(facts: MicFacts) -> Iterator[tuple[str, bytes]]:
    suite, kck = facts.terms.suite, facts.ptk.kck
    zeroed = with_mic(facts.frame, facts.descriptor, bytes(data_path_mic_length(suite)))
    body, token = body_of(zeroed), facts.values.get("auth_token", b"")
    if facts.number == 3:
        yield "MIC of M3 without the authentication token before the body", data_path_mic(suite, kck, body)
        for mistake, wrong_token in _tokens(facts):
            yield mistake, data_path_mic(suite, kck, wrong_token + body)
    else:
        yield "MIC with the authentication token, which belongs to M3 alone", data_path_mic(suite, kck, token + body)
    prefix = token if facts.number == 3 else b""
    for mistake, wrong in _bodies(facts, zeroed):
        yield mistake, data_path_mic(suite, kck, prefix + wrong)
    for mistake, wrong_kck in _kcks(facts):
        yield mistake, data_path_mic(suite, wrong_kck, prefix + body)


def _tokens(facts: MicFacts) -> Iterator[tuple[str, bytes]]:
    """Mistake -> the authentication token that it gives."""
    suite, m1 = facts.terms.suite, facts.values.get("auth_token_input", b"")
    hash_ = suite_hash(suite)
    bare = _without_mic(m1, data_path_mic_length(suite))
    yield "authentication token over M1 without its MIC field, expected with zeros in it", digest(hash_, bare)[:16]
    yield "the whole hash of M1 as authentication token, expected its first 16 octets", digest(hash_, m1)
    other = Hash.SHA256 if hash_ is Hash.SHA384 else Hash.SHA384
    yield f"{other.name} for the authentication token: the cipher suite decides", digest(other, m1)[:16]
    yield "authentication token over M1 without its category and action", digest(hash_, m1[2:])[:16]


def _without_mic(body: bytes, mic_length: int) -> bytes:
    """The body of an action frame without the MIC field of its key descriptor."""
    at = NAF_HEAD
    while at + 3 <= len(body) and body[at] != NanAttributeId.SHARED_KEY_DESCRIPTOR:
        at += 3 + int.from_bytes(body[at + 1 : at + 3], "little")
    mic = at + 3 + MIC_AT
    return body[:mic] + body[mic + mic_length :]


def _bodies(facts: MicFacts, zeroed: NanActionFrame) -> Iterator[tuple[str, bytes]]:
    other = Category.PUBLIC if zeroed.is_protected_dual else Category.PROTECTED_DUAL_OF_PUBLIC
    name = "public" if other is Category.PUBLIC else "protected dual"
    yield f"MIC over the category {name}, not the one of the frame", body_of(replace(zeroed, category=other))
    place = next(at for at, each in enumerate(zeroed.attributes) if isinstance(each, SharedKeyDescriptor))
    yield (
        "MIC over the body up to the key descriptor, without the attributes after it",
        body_of(replace(zeroed, attributes=zeroed.attributes[: place + 1])),
    )
    yield "MIC over the attributes alone, without the head of the action frame", body_of(zeroed)[7:]


def _kcks(facts: MicFacts) -> Iterator[tuple[str, bytes]]:
    terms, values = facts.terms, facts.values
    nonces = (values["initiator_nonce"], values["responder_nonce"])
    ndis, nmis = (terms.initiator_ndi, terms.responder_ndi), (terms.initiator_nmi, terms.responder_nmi)
    suite, pmk = terms.suite, facts.pmk
    yield "ND-PTK from management instead of data interface addresses", nd_ptk(suite, pmk, *nmis, *nonces).kck
    yield "ND-PTK from responder || initiator", nd_ptk(suite, pmk, *ndis[::-1], *nonces).kck
    yield "ND-PTK with the nonces in the other order", nd_ptk(suite, pmk, *ndis, *nonces[::-1]).kck

"""Everything one responder owns, found by name: which records answer a question on a link.

When the answers go out, and whether the asker knows them already, is left to the responder.
Source: RFC 6762 section 6 (responding), RFC 6763 sections 4.1, 7.1 (subtypes), 9 (service type enumeration).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pairing.dnssd.claims import Claim, HostClaim, ServiceClaim
from pairing.dnssd.messages import CLASS_ANY, CLASS_IN, Question, Record, RecordType
from pairing.dnssd.names import SERVICES, IpAddress, Name, reverse_name
from pairing.dnssd.service import Link


class Match(NamedTuple):
    """A record that answers a question. A shared one may have other holders on the link."""

    record: Record
    owner: Claim
    is_shared: bool


class Zone:
    """The claims of one responder, indexed by folded name. Iteration is in the order of registration."""

    def __init__(self, links: Iterable[Link]) -> None:
        self.claims: dict[Name, Claim] = {}
        self._types: dict[Name, dict[ServiceClaim, None]] = {}
        self._subtypes: dict[Name, dict[ServiceClaim, None]] = {}
        self._hosts: dict[HostClaim, None] = {}
        self._indexed: dict[ServiceClaim, tuple[Name, ...]] = {}
        self.set_links(links)

    def set_links(self, links: Iterable[Link]) -> None:
        """The links and the addresses on them."""
        self.addresses: Mapping[str, tuple[IpAddress, ...]] = {link.name: link.addresses for link in links}
        self._reverse = {
            (link, reverse_name(address).lower()): address
            for link, addresses in self.addresses.items()
            for address in addresses
        }

    def add(self, claim: Claim) -> None:
        """Index a claim under the names it has now."""
        self.claims[claim.key] = claim
        if isinstance(claim, HostClaim):
            self._hosts[claim] = None
        elif isinstance(claim, ServiceClaim):
            pointers = tuple(record.key for record in claim.records.pointers)
            self._indexed[claim] = (claim.key, *pointers)
            self._types.setdefault(pointers[0], {})[claim] = None
            for key in pointers[1:]:
                self._subtypes.setdefault(key, {})[claim] = None

    def remove(self, claim: Claim) -> None:
        """Take a claim out, under whatever names it was indexed."""
        if isinstance(claim, HostClaim):
            self._hosts.pop(claim, None)
            self.claims.pop(claim.key, None)
        elif isinstance(claim, ServiceClaim):
            key, base, *subtypes = self._indexed.pop(claim)
            self.claims.pop(key, None)
            for index, pointer in ((self._types, base), *((self._subtypes, one) for one in subtypes)):
                index[pointer].pop(claim, None)
                if not index[pointer]:
                    del index[pointer]

    def matches(self, question: Question, link: str) -> Iterator[Match]:
        """The records that answer a question on a link."""
        if question.class_ not in (CLASS_IN, CLASS_ANY):
            return
        claim = self.claims.get(question.key)
        if claim is not None and claim.is_answering:
            for record in claim.answers(question.type, link):
                yield Match(record, claim, False)
        if question.type in (RecordType.PTR, RecordType.ANY):
            yield from self._pointers(question.key, link)

    def _pointers(self, key: Name, link: str) -> Iterator[Match]:
        for index in (self._types, self._subtypes):
            for claim in index.get(key, ()):
                if claim.is_answering:
                    yield from (Match(one, claim, True) for one in claim.records.pointers if one.key == key)
        if key == SERVICES:
            for claims in self._types.values():
                first = next((claim for claim in claims if claim.is_answering), None)
                if first is not None:
                    yield Match(first.records.enumeration, first, True)
        if (link, key) in self._reverse:
            for host in self._hosts:
                if host.is_answering:
                    yield from (Match(one, host, True) for one in host.records(link).reverse if one.key == key)

    def holder(self, record: Record, link: str) -> Match | None:
        """Our own record that equals a received one, if we hold it and the name is ours."""
        is_shared = record.type == RecordType.PTR
        claim = self.claims.get(record.identity[3] if is_shared else record.key)
        if claim is None or not claim.is_answering:
            return None
        ours = claim.pointers() if is_shared else claim.unique(link)
        found = next((one for one in ours if one.identity == record.identity), None)
        return None if found is None else Match(found, claim, is_shared)

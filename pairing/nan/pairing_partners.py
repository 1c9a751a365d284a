"""Which instance of a peer, and which session of ours, an attempt is between; and which suites the peer offers.

Source: Wi-Fi Aware specification 4.0, section 7.6: pairing belongs to a service, but its PASN frames name it loosely.
"""

from pairing.errors import LocalProtocolError
from pairing.nan.attributes import Attribute, CipherSuiteInfo, IdentityResolution, find
from pairing.nan.bootstrapping import Bootstrapping
from pairing.nan.bootstrapping_exchange import Partner
from pairing.nan.discovery import Discovery
from pairing.nan.identifiers import address_text
from pairing.nan.sessions import DiscoveredService, Session


def discovered_service(discovery: Discovery, peer: bytes) -> DiscoveredService | None:
    """A service of that peer that is in view, for the oldest of our sessions that found one.

    Of several instances of it the one heard last counts: a peer that has started again uses another instance ID, and
    that of before is in view until it times out.
    """
    found = [each for (_, nmi, _), each in discovery.discovered.items() if nmi == peer]
    session = min((each.subscribe_id for each in found), default=None)
    return next((each for each in reversed(found) if each.subscribe_id == session), None)


def find_partner(
    discovery: Discovery,
    bootstrapping: Bootstrapping,
    peer: bytes,
    instance_id: int | None,
    peer_instance_id: int | None,
) -> Partner:
    """The partner of an attempt of ours: as given, as bootstrapped, or as discovered."""
    agreement, found = bootstrapping.agreement(peer), discovered_service(discovery, peer)
    if instance_id is None and agreement is not None:
        instance_id, known = agreement.partner.session.instance_id, agreement.partner.instance_id
        peer_instance_id = known if peer_instance_id is None else peer_instance_id
    if found is not None:
        instance_id = found.subscribe_id if instance_id is None else instance_id
        peer_instance_id = found.publish_id if peer_instance_id is None else peer_instance_id
    session = None if instance_id is None else discovery.sessions.get(instance_id)
    if session is None or peer_instance_id is None:
        raise LocalProtocolError(f"no session of ours and no service in view connect us with {address_text(peer)}")
    return Partner(discovery.device, session, peer, peer_instance_id)


def find_asked_session(
    discovery: Discovery, bootstrapping: Bootstrapping, peer: bytes, attributes: tuple[Attribute, ...]
) -> Partner | None:
    """The partner of a peer's frame 1; None if no session of ours takes part in pairing.

    The publish ID in the frame is ours or the peer's own, depending on who wrote it: it decides only between several.
    """
    suites = find(attributes, CipherSuiteInfo)
    named = suites.suites[0].publish_id if suites is not None and suites.suites else 0
    agreement = bootstrapping.agreement(peer)
    if agreement is not None:
        session = discovery.sessions.get(agreement.partner.session.instance_id)
        if session is not None:
            return Partner(discovery.device, session, peer, agreement.partner.instance_id)
    able = [each for each in discovery.sessions.values() if each.device_capability_extension is not None]
    session = _chosen(able, named)
    return None if session is None else Partner(discovery.device, session, peer, named)


def _chosen(able: list[Session], named: int) -> Session | None:
    by_id = {each.instance_id: each for each in able}
    return by_id.get(named) or (able[0] if able else None)


def offered_suites(discovery: Discovery, peer: bytes) -> tuple[int, ...]:
    """The cipher suites that the peer offers; none if it said nothing of them."""
    found = discovered_service(discovery, peer)
    return () if found is None else found.suites


def heard_identity(discovery: Discovery, peer: bytes) -> IdentityResolution | None:
    """The NIRA that the peer was last heard with."""
    heard = discovery.peer_device(peer)
    return None if heard is None else heard.identity

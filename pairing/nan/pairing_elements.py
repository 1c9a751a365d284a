"""The attributes in the NAN element of PASN frames: in pairing setup, in verification, and where a frame 2 refuses.

The order is the one that an independent implementation was seen to emit.
Source: Wi-Fi Aware specification 4.0, section 7.6.3.
"""

from dataclasses import replace

from pairing.nan.attributes import (
    Attribute,
    CipherSuite,
    CipherSuiteInfo,
    IdentityResolution,
    PairingBootstrapping,
    encode_attributes,
)
from pairing.nan.bootstrapping_exchange import Partner


def setup_attributes(partner: Partner, suite: int, npba: PairingBootstrapping | None) -> bytes:
    """Pairing setup: the suite for our own instance, pairing capabilities, and the bootstrapping request."""
    return _with_capabilities(CipherSuiteInfo.of(partner.session.instance_id, suite), partner, npba)


def refusal_attributes(partner: Partner, suite: int, npba: PairingBootstrapping | None, *, is_anonymous: bool) -> bytes:
    """The same in a refusal; an anonymous one names suite 7 and no instance, whatever was asked."""
    offer = (0, CipherSuite.NCS_PK_PASN_128) if is_anonymous else (partner.session.instance_id, suite)
    return _with_capabilities(CipherSuiteInfo.of(*offer), partner, npba)


def verification_attributes(partner: Partner, suite: int, identity: IdentityResolution) -> bytes:
    """Pairing verification: the suite and a fresh NIRA."""
    return encode_attributes((CipherSuiteInfo.of(partner.session.instance_id, suite), identity))


def _with_capabilities(suites: CipherSuiteInfo, partner: Partner, npba: PairingBootstrapping | None) -> bytes:
    attributes: list[Attribute] = [suites]
    if partner.session.device_capability_extension is not None:
        attributes.append(partner.session.device_capability_extension)
    if npba is not None:
        # The peer's own words may be among them: what it put behind the fields might not fit the element.
        attributes.append(replace(npba, surplus=b""))
    return encode_attributes(attributes)

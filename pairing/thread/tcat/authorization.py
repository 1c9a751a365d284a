"""Who may do what: authorization bytes in both certificates, and the requirements that are met in a connection.

A class of commands is allowed when all flags of the commissioner's byte are met and at least one of the device's.
Source: Thread 1.4 specification, chapter 13, tables of command classes and flags; as measured from OpenThread.
"""

import enum
from dataclasses import dataclass

from pairing.errors import DecodeError
from pairing.thread.dataset import Dataset
from pairing.thread.tcat.certificates import AUTHORIZATION_LENGTH, ThreadCertificate

HEADER_VERSION = 0x20
_COMMISSIONER = 0x01


class Requirement(enum.IntFlag):
    """Flags of an authorization byte."""

    ACCESS = 0x01
    PSKD = 0x02
    NETWORK_NAME = 0x04
    XPANID = 0x08
    DOMAIN = 0x10
    PSKC = 0x20


class CommandClass(enum.Enum):
    """The classes of commands; general ones are free."""

    GENERAL = "general"
    COMMISSIONING = "commissioning"
    EXTRACTION = "extraction"
    DECOMMISSIONING = "decommissioning"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The five bytes of a certificate."""

    is_commissioner: bool
    version: int = 1
    commissioning: Requirement = Requirement.ACCESS
    extraction: Requirement = Requirement.ACCESS
    decommissioning: Requirement = Requirement.ACCESS
    application: Requirement = Requirement.ACCESS

    def encode(self) -> bytes:
        """The five bytes."""
        flags = (self.commissioning, self.extraction, self.decommissioning, self.application)
        return bytes((self.version << 5 | self.is_commissioner, *flags))

    @classmethod
    def decode(cls, data: bytes) -> "Authorization":
        """From the content of the extension. Raises DecodeError."""
        if len(data) != AUTHORIZATION_LENGTH:
            raise DecodeError(0, f"authorization has {len(data)} bytes, expected {AUTHORIZATION_LENGTH}")
        flags = [Requirement(each) for each in data[1:]]
        return cls(
            is_commissioner=bool(data[0] & _COMMISSIONER),
            version=data[0] >> 5,
            commissioning=flags[0],
            extraction=flags[1],
            decommissioning=flags[2],
            application=flags[3],
        )

    def of(self, command_class: CommandClass) -> Requirement:
        """The byte of a class that has one."""
        found: Requirement = getattr(self, command_class.value)
        return found


def authorization_of(certificate: ThreadCertificate, *, commissioner: bool) -> Authorization:
    """The authorization of a certificate in that role. Raises DecodeError where it has none, or the other role."""
    if certificate.authorization is None:
        raise DecodeError(0, "the certificate has no authorization extension")
    found = Authorization.decode(certificate.authorization)
    if found.is_commissioner is not commissioner:
        has, wants = ("device", "commissioner") if commissioner else ("commissioner", "device")
        raise DecodeError(0, f"the certificate is a {has}'s, expected a {wants}'s")
    return found


def requirements_met(
    certificate: ThreadCertificate,
    dataset: Dataset | None,
    *,
    domain_name: str,
    pskd_proved: bool,
    pskc_proved: bool,
) -> Requirement:
    """What a commissioner meets: by its certificate against the dataset, and by its proofs."""
    met = Requirement.ACCESS
    if dataset is not None and certificate.network_name is not None:
        name = dataset.network_name
        if name is not None and name.encode() == certificate.network_name:
            met |= Requirement.NETWORK_NAME
    if dataset is not None and certificate.ext_pan_id is not None and dataset.ext_pan_id == certificate.ext_pan_id:
        met |= Requirement.XPANID
    if certificate.domain_name is not None and certificate.domain_name == domain_name.encode():
        met |= Requirement.DOMAIN
    if pskd_proved:
        met |= Requirement.PSKD
    if pskc_proved:
        met |= Requirement.PSKC
    return met


def is_allowed(commissioner: Requirement, device: Requirement, met: Requirement) -> bool:
    """The rule: everything that the commissioner's byte asks for, and something of the device's."""
    return int(commissioner) & ~int(met) == 0 and bool(device & met)

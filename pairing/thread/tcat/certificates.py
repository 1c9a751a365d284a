"""What TCAT reads from a certificate: the Thread extensions below 1.3.6.1.4.1.44970, and the public key.

The value of an extension is a DER element of which devices skip the two header bytes without looking at the tag; so do
we. Chain, signature and role are judged elsewhere. Source: Thread 1.4 specification, chapter 13; RFC 5280.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning

from pairing.errors import DecodeError

THREAD_ARC = "1.3.6.1.4.1.44970"
DOMAIN_NAME, THREAD_VERSION, AUTHORIZATION, NETWORK_NAME, EXTENDED_PAN_ID = range(1, 6)
AUTHORIZATION_LENGTH = 5
_ELEMENT_HEADER = 2
_BAD = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
    CryptographyDeprecationWarning,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadCertificate:
    """A device's or commissioner's certificate, as the other end reads it. Absent extensions are None."""

    der: bytes = field(repr=False)
    spki: bytes = field(repr=False)
    """DER SubjectPublicKeyInfo."""
    extensions: Mapping[int, bytes] = field(default_factory=dict)
    """The Thread extensions by the last number of their OID, each a DER element."""
    subject: str = ""

    @classmethod
    def decode(cls, der: bytes) -> "ThreadCertificate":
        """Read a certificate. Raises DecodeError."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # a country of three letters is none of our business
                warnings.simplefilter("error", CryptographyDeprecationWarning)  # such as a serial number of 0
                certificate = x509.load_der_x509_certificate(der)
                values = {extension.oid.dotted_string: extension.value for extension in certificate.extensions}
                spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
                subject = certificate.subject.rfc4514_string()
        except _BAD as problem:
            raise DecodeError(0, f"not a certificate: {type(problem).__name__}") from None
        thread = {
            number: value.value
            for number in (DOMAIN_NAME, THREAD_VERSION, AUTHORIZATION, NETWORK_NAME, EXTENDED_PAN_ID)
            if isinstance(value := values.get(f"{THREAD_ARC}.{number}"), x509.UnrecognizedExtension)
        }
        return cls(der=der, spki=spki, extensions=thread, subject=subject)

    def content(self, number: int) -> bytes | None:
        """What an extension holds, None where there is no such extension."""
        element = self.extensions.get(number)
        return None if element is None else element[_ELEMENT_HEADER:]

    @property
    def authorization(self) -> bytes | None:
        """Five bytes, where the certificate is good."""
        return self.content(AUTHORIZATION)

    @property
    def domain_name(self) -> bytes | None:
        """The Thread domain that the commissioner is for."""
        return self.content(DOMAIN_NAME)

    @property
    def network_name(self) -> bytes | None:
        """The network that the commissioner is for."""
        return self.content(NETWORK_NAME)

    @property
    def ext_pan_id(self) -> bytes | None:
        """The network that the commissioner is for; eight bytes, where the certificate is good."""
        return self.content(EXTENDED_PAN_ID)

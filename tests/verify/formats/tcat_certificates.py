"""Vectors of TCAT certificates: every member follows from the DER, and the issuer's signature verifies."""

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pairing.thread.tcat.authorization import Authorization, Requirement
from pairing.thread.tcat.certificates import (
    AUTHORIZATION,
    DOMAIN_NAME,
    EXTENDED_PAN_ID,
    NETWORK_NAME,
    THREAD_VERSION,
    ThreadCertificate,
)
from tests.verify.mismatch import Mismatch, compare_members

_MEMBERS = {
    "domainName": DOMAIN_NAME,
    "threadVersion": THREAD_VERSION,
    "authorization": AUTHORIZATION,
    "networkName": NETWORK_NAME,
    "xpanid": EXTENDED_PAN_ID,
}
_FLAGS = {
    Requirement.ACCESS: "access",
    Requirement.PSKD: "pskd",
    Requirement.NETWORK_NAME: "networkName",
    Requirement.XPANID: "xpanid",
    Requirement.DOMAIN: "domain",
    Requirement.PSKC: "pskc",
}


def recognises(document: object) -> bool:
    """Whether this is a table of certificates."""
    rows = document.get("certificates") if isinstance(document, dict) else None
    return isinstance(rows, dict) and any(isinstance(row, dict) and "der" in row for row in rows.values())


def check(document: dict[str, Any]) -> None:
    """Decode every certificate and verify its signature; raises Mismatch."""
    rows = document["certificates"]
    for name, row in rows.items():
        member, der = f"certificates.{name}", bytes.fromhex(row["der"])
        thread, certificate = ThreadCertificate.decode(der), x509.load_der_x509_certificate(der)
        kinds = {True: "commissioner", False: "device", None: "ca"}
        rights = None if thread.authorization is None else Authorization.decode(thread.authorization)
        got = {
            "kind": kinds[None if rights is None else rights.is_commissioner],
            "issuedBy": _issuer(rows, certificate),
            "der": der.hex(),
            "subject": thread.subject,
            "issuer": certificate.issuer.rfc4514_string(),
            "serial": hex(certificate.serial_number),
            "notBefore": certificate.not_valid_before_utc.isoformat(),
            "notAfter": certificate.not_valid_after_utc.isoformat(),
            "signatureOid": certificate.signature_algorithm_oid.dotted_string,
            "derLength": len(der),
            "extensionOids": [
                each.oid.dotted_string + (" critical" if each.critical else "") for each in certificate.extensions
            ],
            **{word: _element(thread, number) for word, number in _MEMBERS.items()},
            "publicKeySpki": thread.spki.hex(),
        }
        if rights is not None:
            got["authorizationDecoded"] = _rights(rights)
        compare_members(member, row, got)


def _issuer(rows: dict[str, Any], certificate: x509.Certificate) -> str:
    """Whose key made the signature."""
    for name, row in rows.items():
        other = x509.load_der_x509_certificate(bytes.fromhex(row["der"]))
        if other.subject == certificate.issuer and isinstance(other.public_key(), ec.EllipticCurvePublicKey):
            try:
                certificate.verify_directly_issued_by(other)
            except Exception:  # noqa: S112 - another's key
                continue
            return name
    raise Mismatch("issuedBy", "the name of a certificate that verifies the signature", "none")


def _element(thread: ThreadCertificate, number: int) -> dict[str, object] | None:
    element, content = thread.extensions.get(number), thread.content(number)
    if element is None or content is None:
        return None
    return {"der": element.hex(), "asn1Tag": element[0], "content": content.hex()}


def _rights(rights: Authorization) -> dict[str, object]:
    classes = ("commissioning", "extraction", "decommissioning", "application")
    return {
        "version": rights.version,
        "isCommissioner": rights.is_commissioner,
        **{word: [name for flag, name in _FLAGS.items() if flag & getattr(rights, word)] for word in classes},
    }

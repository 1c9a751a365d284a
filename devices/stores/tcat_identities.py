"""The certificates of TCAT: an authority of one's own, a device's and a commissioner's, made where there are none.

A folder of PEM files under the names that OpenThread's TCAT client reads (`--cert_path`): `ca_cert.pem`,
`commissioner_cert.pem`, `commissioner_key.pem`, and beside them `device_cert.pem`, `device_key.pem`, `ca_key.pem`. Keys
are readable by their owner only, and never part of the program. Source: Thread 1.4 specification, chapter 13.
"""

import datetime
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from devices.errors import StoreError
from devices.sim.chance import Stream
from pairing.thread.tcat.authorization import Authorization
from pairing.thread.tcat.certificates import AUTHORIZATION, THREAD_ARC, THREAD_VERSION, ThreadCertificate

_EXPIRED = datetime.datetime(2024, 5, 21, tzinfo=datetime.UTC)
_BEGIN, _END = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), datetime.datetime(2999, 12, 31, tzinfo=datetime.UTC)
_VERSION_5 = b"\x02\x01\x05"
_SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")


@dataclass(frozen=True, slots=True)
class TcatIdentities:
    """Where the files are."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The trusted root."""
        return self.folder / "ca_cert.pem"

    def certificate(self, role: str) -> Path:
        """Of the `device` or the `commissioner`."""
        return self.folder / f"{role}_cert.pem"

    def key(self, role: str) -> Path:
        """Its private key."""
        return self.folder / f"{role}_key.pem"

    def der(self, role: str) -> bytes:
        """The certificate itself. Raises StoreError."""
        path = self.certificate(role)
        try:
            return x509.load_pem_x509_certificates(path.read_bytes())[0].public_bytes(Encoding.DER)
        except (OSError, ValueError, IndexError) as problem:
            raise StoreError(f"{path}: no certificate in PEM: {problem}") from None


def identities_in(folder: Path, *, make: bool) -> TcatIdentities:
    """The identities of a folder; with `make`, new ones where it has no authority. Raises StoreError."""
    found = TcatIdentities(folder)
    if make and not found.authority.exists():
        try:
            _make(found)
        except OSError as problem:
            raise StoreError(f"{folder}: cannot make TCAT certificates there: {problem.strerror}") from None
    return found


def own_identities(folder: str | None) -> TcatIdentities:
    """The PEM files of real time; made where the folder has none. Raises StoreError."""
    if folder is not None:
        return identities_in(Path(folder).expanduser(), make=True)
    import platformdirs

    return identities_in(platformdirs.user_data_path("pairlab") / "tcat", make=True)


def simulated_certificate(chance: Stream, *, commissioner: bool) -> ThreadCertificate:
    """What stands for a certificate where TLS is simulated: rights as made certificates have them, and a drawn key."""
    rights = Authorization(is_commissioner=commissioner).encode()
    extensions = {AUTHORIZATION: b"\x04\x05" + rights, **({} if commissioner else {THREAD_VERSION: _VERSION_5})}
    return ThreadCertificate(
        der=b"", spki=_SPKI_HEAD + chance.randbytes(64), extensions=extensions, subject="simulated"
    )


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate and its key, in PEM; the certificate in DER as well."""

    certificate: bytes
    der: bytes
    key: bytes = field(repr=False)


def lying_device_leaf(identities: TcatIdentities, *, is_expired: bool) -> Leaf:
    """A device's certificate that has run out, or else one of an authority that nobody knows. Raises StoreError."""
    key = ec.generate_private_key(ec.SECP256R1())
    if is_expired:
        path = identities.folder / "ca_key.pem"
        try:
            signer = load_pem_private_key(path.read_bytes(), None)
            root = x509.load_pem_x509_certificates(identities.authority.read_bytes())[0]
        except (OSError, ValueError) as problem:
            raise StoreError(f"{path}: no key to sign a certificate with that has run out: {problem}") from None
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise StoreError(f"{path}: no key of an elliptic curve")
    else:
        signer = ec.generate_private_key(ec.SECP256R1())
        root = _signed(_name("pairlab unknown authority"), None, signer, signer, None)
    leaf = _signed(
        _name("pairlab TCAT device", serial="0002"), root, key, signer, "device", until=_EXPIRED if is_expired else _END
    )
    return Leaf(leaf.public_bytes(Encoding.PEM), leaf.public_bytes(Encoding.DER), _pem(key))


def _make(identities: TcatIdentities) -> None:
    identities.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _signed(_name("pairlab TCAT authority"), None, root_key, root_key, None)
    for role in ("device", "commissioner"):
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _signed(_name(f"pairlab TCAT {role}", serial="0001"), root, key, root_key, role)
        _write(identities.key(role), _pem(key))
        _write(identities.certificate(role), leaf.public_bytes(Encoding.PEM))
    _write(identities.folder / "ca_key.pem", _pem(root_key))
    _write(identities.authority, root.public_bytes(Encoding.PEM))


def _name(common: str, serial: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if serial:
        parts.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial))
    return x509.Name(parts)


def _signed(
    subject: x509.Name,
    issuer: x509.Certificate | None,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    role: str | None,
    until: datetime.datetime = _END,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(until)
    )
    if role is None:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(_CA_USAGE, critical=True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        return builder.sign(signer, SHA256())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(authority, critical=False)
    if role == "device":
        builder = builder.add_extension(_thread(THREAD_VERSION, _VERSION_5), critical=False)
    rights = Authorization(is_commissioner=role == "commissioner").encode()
    return builder.add_extension(_thread(AUTHORIZATION, b"\x04\x05" + rights), critical=False).sign(signer, SHA256())


_CA_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _thread(number: int, element: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(ObjectIdentifier(f"{THREAD_ARC}.{number}"), element)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, data: bytes) -> None:
    """As one who must not be overheard: the file is its owner's from the first byte."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)

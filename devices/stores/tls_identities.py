"""The certificates of TLS services: a private authority of this user's, made at first use, and what it signs.

The authority and one client's certificate are files of one folder, so that programs under test can be given them; a
server's certificate is made anew at each start, for the names and addresses that it has then.
Source: RFC 5280; limits of platforms: names in SAN (RFC 9525), a server's certificate good for 397 days at the most.
"""

import datetime
import os
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
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
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from devices.errors import StoreError

_DAY = datetime.timedelta(days=1)
_AUTHORITY_DAYS, _LEAF_DAYS = 3650, 397


@dataclass(frozen=True, slots=True)
class TlsIdentities:
    """Where the files are."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The certificate to trust."""
        return self.folder / "ca_cert.pem"

    @property
    def authority_key(self) -> Path:
        """Its private key."""
        return self.folder / "ca_key.pem"

    @property
    def client_certificate(self) -> Path:
        """Of a client that the authority vouches for."""
        return self.folder / "client_cert.pem"

    @property
    def client_key(self) -> Path:
        """Its private key."""
        return self.folder / "client_key.pem"


@dataclass(frozen=True, slots=True)
class ServerLeaf:
    """A server's certificate and key, in PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    def load_into(self, context: ssl.SSLContext) -> None:
        """Give it to a context, which reads files only."""
        with tempfile.TemporaryDirectory(prefix="pairlab-") as folder:
            certificate, key = Path(folder) / "cert.pem", Path(folder) / "key.pem"
            certificate.write_bytes(self.certificate)
            _write(key, self.key)
            context.load_cert_chain(certificate, key)


def tls_identities(folder: str | None) -> TlsIdentities:
    """The files of a folder, by default in the user's data; made where there are none. Raises StoreError."""
    if folder is None:
        import platformdirs

        found = TlsIdentities(platformdirs.user_data_path("pairlab") / "tls")
    else:
        found = TlsIdentities(Path(folder).expanduser())
    if not found.authority.exists():
        try:
            _make(found)
        except OSError as problem:
            raise StoreError(f"{found.folder}: cannot make certificates there: {problem.strerror}") from None
    return found


def server_leaf(identities: TlsIdentities, name: str, names: Sequence[str], *, self_signed: bool) -> ServerLeaf:
    """A certificate for these host names and addresses, signed by the authority or by itself. Raises StoreError."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer, issuer = (key, None) if self_signed else _authority_of(identities)
    leaf = _leaf(name, key, signer, issuer, ExtendedKeyUsageOID.SERVER_AUTH, names)
    return ServerLeaf(leaf.public_bytes(Encoding.PEM), _pem(key))


def _authority_of(identities: TlsIdentities) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    try:
        key = load_pem_private_key(identities.authority_key.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate(identities.authority.read_bytes())
    except (OSError, ValueError) as problem:
        raise StoreError(f"{identities.folder}: no authority that can sign: {problem}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise StoreError(f"{identities.authority_key}: no key of an elliptic curve")
    return key, certificate


def _make(identities: TlsIdentities) -> None:
    identities.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _root(root_key)
    leaf = _leaf("pairlab client", key, root_key, root, ExtendedKeyUsageOID.CLIENT_AUTH, ())
    _write(identities.client_key, _pem(key))
    _write(identities.client_certificate, leaf.public_bytes(Encoding.PEM))
    _write(identities.authority_key, _pem(root_key))
    _write(identities.authority, root.public_bytes(Encoding.PEM))  # last: it says that all are there


def _root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    builder = _builder("pairlab authority", key, None, _AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.add_extension(usage, critical=True).sign(key, SHA256())


def _leaf(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    usage: x509.ObjectIdentifier,
    names: Sequence[str],
) -> x509.Certificate:
    builder = _builder(name, key, issuer, _LEAF_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(authority, critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), critical=False)
    return builder.sign(signer, SHA256())


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None, days: int
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + (days - 1) * _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, data: bytes) -> None:
    """As one who must not be overheard: the file is its owner's from the first byte."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)

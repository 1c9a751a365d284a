"""Which certificate a TCAT device shows: its own, or one of those that a lie has it show.

Files of PEM in real time; in virtual time, where TLS is simulated, extensions and a drawn key.
"""

import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from devices.accessories.base import Accessory, Lie
from devices.accessories.tcat_lies import CERTIFICATE_LIES, EXPIRED, WRONG_ROLE
from devices.errors import StoreError, UsageError
from devices.stores.tcat_identities import TcatIdentities, lying_device_leaf, own_identities, simulated_certificate
from devices.transports.tcat_tls import SecureChannel, SimulatedTls, TlsChannel, server_context
from pairing.errors import PairingError
from pairing.thread.tcat.certificates import ThreadCertificate


@dataclass(frozen=True, slots=True)
class ShownIdentity:
    """`certificate` has the device's rights and the key that is shown; `lie` is what made it another one."""

    certificate: ThreadCertificate
    shown: ThreadCertificate
    lie: str | None
    context: ssl.SSLContext | None = None
    identities: TcatIdentities | None = None

    def channel(self) -> SecureChannel:
        """The device's end of TLS."""
        if self.context is None:
            return SimulatedTls(self.shown, server=True)
        return TlsChannel(self.context, server=True)


def shown_identity(device: Accessory, folder: str | None, told: Mapping[str, Lie]) -> ShownIdentity:
    """What the device shows while these lies are told. Raises StoreError, UsageError."""
    lie = next((each for each in CERTIFICATE_LIES if each in told), None)
    if not device.site.real:
        return _simulated(device, lie)
    identities = own_identities(folder)
    try:
        own = ThreadCertificate.decode(identities.der("device"))
        if lie in (None, WRONG_ROLE):
            role = "device" if lie is None else "commissioner"
            shown = ThreadCertificate.decode(identities.der(role))
            context = server_context(identities.certificate(role), identities.key(role), identities.authority)
        else:
            shown, context = _made(identities, is_expired=lie == EXPIRED)
    except (OSError, PairingError) as problem:
        raise StoreError(f"{device.id}: TCAT certificates in {identities.folder}: {problem}") from None
    return ShownIdentity(replace(own, der=shown.der, spki=shown.spki), shown, lie, context, identities)


def _simulated(device: Accessory, lie: str | None) -> ShownIdentity:
    if lie not in (None, WRONG_ROLE):
        raise UsageError(f"{device.id}: {lie} shows in real time only: virtual time has no real TLS")
    stream = device.site.chance.stream(f"accessory/{device.id}/identity")
    own = simulated_certificate(stream, commissioner=False)
    if lie is None:
        return ShownIdentity(own, own, None)
    shown = replace(simulated_certificate(stream, commissioner=True), spki=own.spki)
    return ShownIdentity(own, shown, lie)


def _made(identities: TcatIdentities, *, is_expired: bool) -> tuple[ThreadCertificate, ssl.SSLContext]:
    leaf = lying_device_leaf(identities, is_expired=is_expired)
    with tempfile.TemporaryDirectory(prefix="pairlab-") as place:
        certificate, key = Path(place) / "certificate.pem", Path(place) / "key.pem"
        certificate.write_bytes(leaf.certificate)
        key.write_bytes(leaf.key)
        return ThreadCertificate.decode(leaf.der), server_context(certificate, key, identities.authority)

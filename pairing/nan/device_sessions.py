"""The publish and subscribe sessions of a device as its owner configured them, and as they are on the air now.

Names of the device and its bootstrapping methods are on the air only while pairing is open; the NIRA whenever
identities are cached; the name of a data path's key where there is a passphrase.
Source: Wi-Fi Aware specification 4.0, sections 7.2 (SCIA) and 7.6; what phones tell of themselves, and when.
"""

from dataclasses import dataclass, replace

from pairing.engine import Entropy
from pairing.errors import LocalProtocolError
from pairing.nan.attributes import (
    BootstrappingMethods,
    DeviceCapabilityExtension,
    IdentityResolution,
    PairingCapabilities,
    SecurityContext,
    SecurityContextInfo,
)
from pairing.nan.identity import draw_identity
from pairing.nan.key_schedule import nd_pmk_from_passphrase, nd_pmkid_published
from pairing.nan.sessions import Publish, Session

PASSPHRASE_SUITES = (1, 2)


@dataclass(slots=True)
class _Configured:
    session: Session
    is_open: bool
    passphrase: str | None


class DeviceSessions:
    """What is configured, by instance ID. Draws the NIRA of the device when it is first needed."""

    def __init__(self, nik: bytes, nmi: bytes, entropy: Entropy) -> None:
        self._nik = nik
        self._nmi = nmi
        self._entropy = entropy
        self._identity: IdentityResolution | None = None
        self._configured: dict[int, _Configured] = {}
        self._pmks: dict[tuple[str, int, bytes, bytes], bytes] = {}

    def add(self, session: Session, *, is_open: bool, passphrase: str | None) -> Session:
        """Configure a session; how it is on the air."""
        self._configured[session.instance_id] = _Configured(session, is_open, passphrase)
        return self.on_air(session.instance_id)

    def change(self, session: Session) -> Session:
        """Configure it anew; whether it is open stays."""
        self._found(session.instance_id).session = session
        return self.on_air(session.instance_id)

    def set_open(self, instance_id: int, *, is_open: bool) -> Session:
        """Open or close pairing for a session."""
        self._found(instance_id).is_open = is_open
        return self.on_air(instance_id)

    def remove(self, instance_id: int) -> None:
        """The session has ended."""
        self._configured.pop(instance_id, None)

    def change_address(self, nmi: bytes) -> None:
        """Another NMI; the NIRA is drawn anew, so that nothing links the two."""
        self._nmi, self._identity = nmi, None

    @property
    def pairing_ids(self) -> tuple[int, ...]:
        """The sessions that take part in pairing."""
        return tuple(
            instance_id
            for instance_id, each in self._configured.items()
            if each.session.device_capability_extension is not None
        )

    def is_open(self, instance_id: int) -> bool:
        """Whether pairing is open."""
        return self._found(instance_id).is_open

    def passphrase(self, instance_id: int) -> str | None:
        """The passphrase of a session's data paths."""
        found = self._configured.get(instance_id)
        return None if found is None else found.passphrase

    def pmk(self, passphrase: str, suite: int, service_id: bytes, publisher: bytes) -> bytes:
        """The PMK of a passphrase, derived once: it takes thousands of rounds."""
        key = (passphrase, suite, service_id, publisher)
        if key not in self._pmks:
            if len(self._pmks) >= 64:
                self._pmks.clear()
            self._pmks[key] = nd_pmk_from_passphrase(suite, passphrase.encode(), service_id, publisher)
        return self._pmks[key]

    def on_air(self, instance_id: int) -> Session:
        """A session as its frames show it now."""
        found = self._found(instance_id)
        session = found.session
        if not found.is_open:
            session = replace(session, methods=BootstrappingMethods.NONE, setup_info=None)
        capabilities = session.device_capability_extension
        if capabilities is not None:
            session = self._with_pairing(session, capabilities, is_open=found.is_open)
        if isinstance(session, Publish) and found.passphrase is not None and session.security_contexts is None:
            session = self._with_key_names(session, found.passphrase)
        return session

    def _with_pairing(self, session: Session, capabilities: DeviceCapabilityExtension, *, is_open: bool) -> Session:
        if not is_open:
            shown = replace(capabilities, pairing=capabilities.pairing & ~PairingCapabilities.PAIRING_SETUP)
            session = replace(session, device_capability_extension=shown)
        if not capabilities.is_caching_enabled or session.identity is not None:
            return session
        if self._identity is None:
            self._identity = draw_identity(self._nik, self._nmi, self._entropy)
        return replace(session, identity=self._identity)

    def _with_key_names(self, publish: Publish, passphrase: str) -> Publish:
        offered = () if publish.cipher_suites is None else publish.cipher_suites.suites
        names = tuple(
            SecurityContext(
                publish.instance_id,
                nd_pmkid_published(
                    each.suite,
                    self.pmk(passphrase, each.suite, publish.service_id, self._nmi),
                    self._nmi,
                    publish.service_id,
                ),
            )
            for each in offered
            if each.suite in PASSPHRASE_SUITES
        )
        return replace(publish, security_contexts=SecurityContextInfo(names)) if names else publish

    def _found(self, instance_id: int) -> _Configured:
        found = self._configured.get(instance_id)
        if found is None:
            raise LocalProtocolError(f"no session has instance ID {instance_id}")
        return found

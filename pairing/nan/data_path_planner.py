"""Makes the terms and keys of data paths: security and suite, numbers, which addresses frames travel between.

Source: Wi-Fi Aware specification 4.0, sections 7.1 and 7.3.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from pairing.engine import Entropy
from pairing.errors import LocalProtocolError
from pairing.keys import NanPairingKeys
from pairing.nan.attributes import Capabilities, DeviceCapability, Ndc, NdpExtension, SdeaControl
from pairing.nan.data_path_exchange import DataPathExchange
from pairing.nan.data_path_keys import OwnGroupKeys
from pairing.nan.data_path_requests import PASSPHRASE_SUITES, Asked
from pairing.nan.data_path_rules import DataPathLies, DataPathSettings
from pairing.nan.data_path_side import DataPathSide
from pairing.nan.data_path_terms import DataPathTerms, NdpAttribute
from pairing.nan.device_sessions import DeviceSessions
from pairing.nan.discovery import Discovery
from pairing.nan.frames import NanActionFrame
from pairing.nan.platform_rules import DataPathSecurity
from pairing.nan.pmk_mistakes import PmkSource
from pairing.nan.protection import FrameProtection
from pairing.nan.sessions import DiscoveredService, Publish

LAST_ID = 0xFF
PMK_LENGTH = 32


class Path(Protocol):
    """What the planner looks at in the paths there are."""

    side: DataPathSide

    @property
    def is_open(self) -> bool:
        """Whether data may flow."""


class DataPathPlanner:
    """One device's way to begin data paths."""

    def __init__(
        self,
        discovery: Discovery,
        protection: FrameProtection,
        sessions: DeviceSessions,
        own_ndi: bytes,
        entropy: Entropy,
        settings: DataPathSettings,
    ) -> None:
        self.lies = DataPathLies()
        self.settings = settings
        self._discovery = discovery
        self._protection = protection
        self._sessions = sessions
        self._own_ndi = own_ndi
        self._group_keys = OwnGroupKeys(settings.security_capabilities, entropy)
        self._last_number = self._last_token = self._last_ndp_id = 0

    def keys_with(self, peer: bytes) -> NanPairingKeys | None:
        """The keys of the pairing in force."""
        return self._protection.keys(self._discovery.device.nmi, peer)

    def choose(
        self, found: DiscoveredService, passphrase: str | None, pmk: bytes | None, suite: int | None
    ) -> tuple[DataPathSecurity, int]:
        """Security and suite of a path that we ask for; with a paired peer there is no choice."""
        keys = self.keys_with(found.nmi)
        if keys is not None:
            return DataPathSecurity.PAIRED, keys.suite
        if passphrase is None and pmk is None:
            return DataPathSecurity.OPEN, 0
        offered = next((each for each in found.suites if each in PASSPHRASE_SUITES), PASSPHRASE_SUITES[0])
        kind = DataPathSecurity.PASSPHRASE if pmk is None else DataPathSecurity.PMK
        return kind, offered if suite is None else suite

    def ours(
        self,
        found: DiscoveredService,
        security: DataPathSecurity,
        suite: int,
        dialog_token: int | None,
        ndp_id: int | None,
        paths: Iterable[Path],
    ) -> DataPathTerms:
        """The terms of a path that we ask for."""
        session, keys = self._discovery.sessions[found.subscribe_id], self.keys_with(found.nmi)
        own, theirs = self._discovery.device.device_capability, found.device_capability
        paths = list(paths)
        self._last_token = self._last_token % LAST_ID + 1 if dialog_token is None else dialog_token
        terms = replace(
            self._terms(found.nmi, found.name, session.service_id, found.publish_id),
            capabilities=session.device_capability_extension,
            elements=session.element_container,
            dialog_token=self._last_token,
            ndp_id=self._free_ndp_id(found.nmi, paths) if ndp_id is None else ndp_id,
            security=security,
            suite=suite,
            is_authenticated=bool(suite) if keys is None else keys.is_authenticated,
            with_gtk=bool(suite) and bool(found.sdea_control & SdeaControl.GTK_REQUIRED),
            is_extended=_knows_ndpe(own) and _knows_ndpe(theirs),
        )
        return self._routed(terms, paths)

    def asked(
        self,
        publish: Publish,
        frame: NanActionFrame,
        ndp: NdpAttribute,
        peer: bytes,
        asked: Asked,
        paths: Iterable[Path],
    ) -> DataPathTerms:
        """The terms of a path that a peer asks for."""
        ndc = frame.find(Ndc)
        terms = replace(
            self._terms(peer, publish.name, publish.service_id, publish.instance_id),
            is_initiator=False,
            capabilities=publish.device_capability_extension,
            elements=publish.element_container,
            peer_ndi=ndp.initiator_ndi,
            dialog_token=ndp.dialog_token,
            ndp_id=ndp.ndp_id,
            security=asked.security,
            suite=asked.suite,
            is_authenticated=asked.is_authenticated,
            with_gtk=asked.with_gtk,
            is_extended=isinstance(ndp, NdpExtension),
            ndc_id=b"" if ndc is None else ndc.ndc_id,
        )
        return self._routed(terms, paths)

    def exchange(self, terms: DataPathTerms, passphrase: str | None, pmk: bytes | None) -> DataPathExchange | None:
        """The keys of a path; None without security. Draws group keys where they are wanted and there are none yet."""
        if not terms.suite:
            return None
        secret = self._pmk(terms, passphrase, pmk)
        groups = self._group_keys.draw(terms.suite, with_gtk=terms.with_gtk)
        return DataPathExchange(terms, secret, groups, self._source(terms, passphrase))

    def _source(self, terms: DataPathTerms, passphrase: str | None) -> PmkSource:
        """Where the PMK comes from, so that a peer's wrong turn on that way can be told."""
        if terms.security is DataPathSecurity.PAIRED:
            return PmkSource(keys=self.keys_with(terms.peer_nmi))
        return PmkSource(passphrase or self._sessions.passphrase(terms.publish_id) or "")

    def has_passphrase(self, instance_id: int) -> bool:
        """Whether a service brings its own passphrase."""
        return self._sessions.passphrase(instance_id) is not None

    def _pmk(self, terms: DataPathTerms, passphrase: str | None, pmk: bytes | None) -> bytes:
        keys = self.keys_with(terms.peer_nmi)
        if terms.security is DataPathSecurity.PAIRED and keys is not None:
            return keys.nd_pmk
        if pmk is not None:
            if len(pmk) != PMK_LENGTH:
                raise LocalProtocolError(f"a PMK has {PMK_LENGTH} octets, not {len(pmk)}")
            return pmk
        secret = passphrase or self._sessions.passphrase(terms.publish_id)
        if secret is None:
            raise LocalProtocolError(f"data path {terms.number} needs a passphrase")
        return self._sessions.pmk(secret, terms.suite, terms.service_id, terms.responder_nmi)

    def _terms(self, peer: bytes, service: str, service_id: bytes, publish_id: int) -> DataPathTerms:
        self._last_number += 1
        return DataPathTerms(
            number=self._last_number,
            service=service,
            service_id=service_id,
            is_initiator=True,
            device=self._discovery.device,
            capabilities=None,
            settings=self.settings,
            lies=self.lies,
            peer_nmi=peer,
            own_ndi=self._own_ndi,
            publish_id=publish_id,
            dialog_token=0,
            ndp_id=0,
            security=DataPathSecurity.OPEN,
        )

    def _routed(self, terms: DataPathTerms, paths: Iterable[Path]) -> DataPathTerms:
        """Paired devices mark frames; those that only share a secure path speak between its interfaces."""
        if self.keys_with(terms.peer_nmi) is not None:
            return replace(terms, is_marked=True)
        for path in paths:
            other = path.side.terms
            if path.is_open and other.suite and other.peer_nmi == terms.peer_nmi:
                peer_ndi = other.peer_ndi if terms.is_initiator else terms.peer_ndi
                return replace(terms, is_marked=True, is_between_ndis=True, peer_ndi=peer_ndi)
        return terms

    def _free_ndp_id(self, peer: bytes, paths: Iterable[Path]) -> int:
        """The next one, so that what is late for an old path does not meet a new one."""
        used = {path.side.terms.ndp_id for path in paths if path.side.terms.peer_nmi == peer}
        for _ in range(LAST_ID):
            self._last_ndp_id = self._last_ndp_id % LAST_ID + 1
            if self._last_ndp_id not in used:
                return self._last_ndp_id
        raise LocalProtocolError(f"all {LAST_ID} NDP IDs with {peer.hex(':')} are in use")


def _knows_ndpe(capability: DeviceCapability | None) -> bool:
    return capability is not None and bool(capability.capabilities & Capabilities.NDPE_SUPPORTED)

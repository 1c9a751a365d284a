"""What one data path is about, and the action frames that set it up and end it.

The order of attributes is the one that an independent implementation was seen to emit: device capability, DCEA, NDPE or
NDP, CSIA, SCIA, SKDA, availability, NDC, NDL, QoS, unaligned schedules, element container.
Source: Wi-Fi Aware specification 4.0, sections 7.3 and 9.4 (NAFs of data paths).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pairing.ieee80211.frames import Category
from pairing.nan.attributes import (
    Attribute,
    Availability,
    CipherSuite,
    CipherSuiteInfo,
    DeviceCapabilityExtension,
    ElementContainer,
    Ndc,
    Ndl,
    NdlControl,
    NdlType,
    Ndp,
    NdpControl,
    NdpeTlv,
    NdpeTlvType,
    NdpExtension,
    NdpType,
    NegotiationStatus,
    SecurityContext,
    SecurityContextInfo,
    SharedKeyDescriptor,
    unwrap_service_info,
    wrap_service_info,
)
from pairing.nan.data_path_keys import gtk_suite
from pairing.nan.data_path_rules import DataPathLies, DataPathSettings
from pairing.nan.data_path_schedule import committed_to
from pairing.nan.frames import NafSubtype, NanActionFrame
from pairing.nan.key_schedule import PMKID_LENGTH
from pairing.nan.platform_rules import DataPathSecurity
from pairing.nan.sessions import LocalDevice

NdpAttribute = Ndp | NdpExtension
NO_NDI = bytes(6)


def interface_id(ndi: bytes) -> bytes:
    """The IPv6 interface identifier of an NDI: its EUI-64 with the universal bit inverted."""
    return bytes((ndi[0] ^ 2,)) + ndi[1:3] + b"\xff\xfe" + ndi[3:]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPathTerms:
    """One data path; the responder's NDI is known with the response."""

    number: int
    service: str
    service_id: bytes
    is_initiator: bool
    device: LocalDevice
    capabilities: DeviceCapabilityExtension | None
    elements: ElementContainer | None = None
    """The radio's 802.11 capabilities; a peer that has heard none yet opens no data path."""
    settings: DataPathSettings
    lies: DataPathLies
    peer_nmi: bytes
    own_ndi: bytes
    peer_ndi: bytes = NO_NDI
    publish_id: int
    dialog_token: int
    ndp_id: int
    security: DataPathSecurity
    suite: int = 0
    is_authenticated: bool = False
    with_gtk: bool = False
    is_extended: bool = True
    """NDPE instead of NDP: both devices support it."""
    is_marked: bool = False
    """Category protected dual: the two share keys."""
    is_between_ndis: bool = False
    """Frames go from interface to interface: the two share no keys but those of a data path."""
    service_info: bytes = b""
    ndc_id: bytes = b""
    counter: Ndc | None = None
    """What a responder proposes in place of our NDC; the confirm has to agree to it."""

    @property
    def initiator_ndi(self) -> bytes:
        """The interface of the side that asked."""
        return self.own_ndi if self.is_initiator else self.peer_ndi

    @property
    def responder_ndi(self) -> bytes:
        """The interface of the side that was asked."""
        return self.peer_ndi if self.is_initiator else self.own_ndi

    @property
    def initiator_nmi(self) -> bytes:
        """The management address of the side that asked."""
        return self.device.nmi if self.is_initiator else self.peer_nmi

    @property
    def responder_nmi(self) -> bytes:
        """The management address of the side that was asked."""
        return self.peer_nmi if self.is_initiator else self.device.nmi

    @property
    def suites(self) -> CipherSuiteInfo:
        """Our CSIA."""
        wanted = (self.suite, gtk_suite(self.suite)) if self.with_gtk else (self.suite,)
        return CipherSuiteInfo.of(self.publish_id, *wanted, capabilities=self.settings.security_capabilities)

    # Frames

    def request(self, pmkid: bytes | None, descriptor: SharedKeyDescriptor | None) -> NanActionFrame:
        """M1, or the request without security."""
        control = NdpControl.CONFIRM_REQUIRED | self._security_bit
        ndp = self._ndp(NdpType.REQUEST, NegotiationStatus.CONTINUED, control=control, publish_id=self.publish_id)
        ndl = self._ndl(NdlType.REQUEST, NegotiationStatus.CONTINUED)
        keyed = self._keyed(pmkid, descriptor)
        return self._frame(NafSubtype.DATA_PATH_REQUEST, ndp, keyed, self._offer(ndl))

    def response(self, pmkid: bytes | None, descriptor: SharedKeyDescriptor | None) -> NanActionFrame:
        """M2, or the response without security."""
        ndp = self._ndp(
            NdpType.RESPONSE,
            NegotiationStatus.CONTINUED,
            control=self._security_bit,
            responder_ndi=self.own_ndi,
        )
        ndl = self._ndl(NdlType.RESPONSE, NegotiationStatus.ACCEPTED)
        keyed = self._keyed(pmkid, descriptor)
        return self._frame(NafSubtype.DATA_PATH_RESPONSE, ndp, keyed, self._offer(ndl))

    def rejection(self, reason: int, pmkid: bytes | None, *, by_owner: bool) -> NanActionFrame:
        """The response that says no; `pmkid` is ours where the keys differ."""
        ndp = self._ndp(
            NdpType.RESPONSE, NegotiationStatus.REJECTED, reason, control=self._security_bit, is_addressed=by_owner
        )
        keyed: list[Attribute] = []
        if pmkid is not None:
            keyed = self._keyed(pmkid, None)
        elif self.suite and self.settings.is_refusal_blank:
            blank = SecurityContextInfo((SecurityContext(0, bytes(PMKID_LENGTH)),))
            keyed = [CipherSuiteInfo.of(0, CipherSuite.NONE), blank]
        ndl = self._ndl(NdlType.RESPONSE, NegotiationStatus.REJECTED, is_agreed=False)
        return self._frame(NafSubtype.DATA_PATH_RESPONSE, ndp, keyed, [ndl])

    def confirm(self, descriptor: SharedKeyDescriptor | None) -> NanActionFrame:
        """M3, or the confirm without security."""
        status = NegotiationStatus.ACCEPTED if descriptor is None else NegotiationStatus.CONTINUED
        ndp = self._ndp(NdpType.CONFIRM, status, control=self._security_bit)
        agreed: list[Attribute] = []
        if self.counter is not None:
            agreed = self._schedule(self._ndl(NdlType.CONFIRM, NegotiationStatus.ACCEPTED))
        return self._frame(NafSubtype.DATA_PATH_CONFIRM, ndp, self._keyed(None, descriptor), agreed)

    @property
    def _availability(self) -> tuple[Availability, ...]:
        own = self.device.availability
        return own if self.counter is None else committed_to(own, self.counter)

    def install(self, descriptor: SharedKeyDescriptor) -> NanActionFrame:
        """M4."""
        ndp = self._ndp(NdpType.SECURITY_INSTALL, NegotiationStatus.ACCEPTED, control=self._security_bit)
        return self._frame(NafSubtype.DATA_PATH_KEY_INSTALLMENT, ndp, [descriptor], [])

    def termination(self, reason: int) -> NanActionFrame:
        """The end, for whatever reason; it answers nothing, so its dialog token is 0."""
        ndp = self._ndp(NdpType.TERMINATE, NegotiationStatus.REJECTED, reason, is_addressed=False)
        return self._frame(NafSubtype.DATA_PATH_TERMINATION, replace(ndp, dialog_token=0), [], [])

    # Parts

    @property
    def _security_bit(self) -> NdpControl:
        return NdpControl.SECURITY_PRESENT if self.suite else NdpControl.NONE

    def _ndp(
        self,
        kind: NdpType,
        status: NegotiationStatus,
        reason: int = 0,
        *,
        control: NdpControl = NdpControl.NONE,
        publish_id: int | None = None,
        responder_ndi: bytes | None = None,
        is_addressed: bool = True,
    ) -> NdpAttribute:
        says_info = kind in (NdpType.REQUEST, NdpType.RESPONSE) and status is not NegotiationStatus.REJECTED
        info = self.service_info if says_info else b""
        common = {
            "dialog_token": self.dialog_token,
            "type": kind,
            "status": status,
            "initiator_ndi": self.initiator_ndi,
            "ndp_id": self.ndp_id,
            "reason": reason,
        }
        if not self.is_extended:
            return Ndp(
                **common,  # type: ignore[arg-type]  # a union of values
                control=control,
                publish_id=publish_id,
                responder_ndi=responder_ndi,
                service_info=info or None,
            )
        tlvs: list[NdpeTlv] = []
        if is_addressed and self.settings.is_interface_id_told:
            tlvs.append(NdpeTlv(NdpeTlvType.IPV6_INTERFACE_ID, interface_id(self.own_ndi)))
        if info:
            tlvs.append(NdpeTlv(NdpeTlvType.SERVICE_INFO, wrap_service_info(info)))
        return NdpExtension(
            **common,  # type: ignore[arg-type]  # a union of values
            control=control,
            publish_id=publish_id,
            responder_ndi=responder_ndi,
            tlvs=tuple(tlvs),
        )

    def _ndl(self, kind: NdlType, status: NegotiationStatus, *, is_agreed: bool = True) -> Ndl:
        control = self.settings.ndl_control if is_agreed else NdlControl.NONE
        return Ndl(self.dialog_token, kind, status, 0, control, max_idle=self.settings.max_idle)

    def _schedule(self, ndl: Ndl) -> list[Attribute]:
        settings = self.settings
        ndc = self.counter or Ndc(self.ndc_id, settings.ndc_control, settings.ndc_entries)
        with_ndc = [ndc] if settings.ndl_control & NdlControl.NDC_PRESENT else []
        with_qos = [] if settings.qos is None else [settings.qos]
        return [*with_ndc, ndl, *with_qos, *settings.unaligned_schedules]

    def _offer(self, ndl: Ndl) -> list[Attribute]:
        with_elements = [] if self.elements is None else [self.elements]
        return [*self._schedule(ndl), *with_elements]

    def _keyed(self, pmkid: bytes | None, descriptor: SharedKeyDescriptor | None) -> list[Attribute]:
        keyed: list[Attribute] = []
        if pmkid is not None:
            keyed += [self.suites, SecurityContextInfo((SecurityContext(self.publish_id, pmkid),))]
        if descriptor is not None:
            keyed.append(descriptor)
        return keyed

    def _frame(
        self, subtype: NafSubtype, ndp: NdpAttribute, keyed: Iterable[Attribute], schedule: Iterable[Attribute]
    ) -> NanActionFrame:
        device = self.device
        attributes: list[Attribute] = []
        if device.device_capability is not None:
            attributes.append(device.device_capability)
        if self.capabilities is not None:
            attributes.append(self.capabilities)
        return NanActionFrame(
            destination=self.peer_ndi if self.is_between_ndis else self.peer_nmi,
            source=self.own_ndi if self.is_between_ndis else device.nmi,
            bssid=device.cluster_id,
            attributes=(*attributes, ndp, *keyed, *self._availability, *schedule),
            category=Category.PROTECTED_DUAL_OF_PUBLIC if self.is_marked else Category.PUBLIC,
            subtype=subtype,
        )


def ndp_of(frame: NanActionFrame) -> NdpAttribute | None:
    """The NDPE or NDP of a frame."""
    extended = frame.find(NdpExtension)
    return frame.find(Ndp) if extended is None else extended


def told_interface_id(ndp: NdpAttribute) -> bytes | None:
    """The IPv6 interface identifier that a peer told."""
    return ndp.tlv(NdpeTlvType.IPV6_INTERFACE_ID) if isinstance(ndp, NdpExtension) else None


def told_service_info(ndp: NdpAttribute) -> bytes:
    """The service info that a peer told; from an NDPE without OUI and protocol type."""
    if isinstance(ndp, Ndp):
        return ndp.service_info or b""
    raw = ndp.tlv(NdpeTlvType.SERVICE_INFO) or b""
    unwrapped = unwrap_service_info(raw)
    return raw if unwrapped is None else unwrapped[1]

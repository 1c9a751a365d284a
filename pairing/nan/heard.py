"""Reads what a service discovery frame says of its sender: service info, and for a publish all that it offers.

Source: Wi-Fi Aware specification 4.0, section 9.5.4 (SDA, SDEA) and the attributes around them.
"""

from pairing.errors import DecodeError
from pairing.nan.attributes import (
    Availability,
    BootstrappingMethods,
    CipherSuiteInfo,
    DeviceCapability,
    DeviceCapabilityExtension,
    IdentityResolution,
    NpbaType,
    PairingBootstrapping,
    PairingBootstrappingExtension,
    SdeaControl,
    SecurityContextInfo,
    ServiceDescriptor,
    ServiceDescriptorExtension,
    unwrap_service_info,
)
from pairing.nan.frames import ServiceDiscoveryFrame
from pairing.nan.sessions import DiscoveredService, PeerDevice, Subscribe
from pairing.nan.setup_info import PairingSetupInfo

MAX_DEVICES = 1024


def service_info_of(frame: ServiceDiscoveryFrame, descriptor: ServiceDescriptor) -> tuple[int | None, bytes | None]:
    """Protocol type and octets of the service info for that descriptor; from its SDA without a type."""
    extension = _extension_of(frame, descriptor)
    if extension is not None and extension.service_info is not None:
        unwrapped = unwrap_service_info(extension.service_info)
        return unwrapped if unwrapped is not None else (None, extension.service_info)
    return None, descriptor.service_info


def _extension_of(frame: ServiceDiscoveryFrame, descriptor: ServiceDescriptor) -> ServiceDescriptorExtension | None:
    """The SDEA of the same instance: a frame may describe several services."""
    extensions = frame.find_all(ServiceDescriptorExtension)
    return next((each for each in extensions if each.instance_id == descriptor.instance_id), None)


def discovered_service(
    frame: ServiceDiscoveryFrame, descriptor: ServiceDescriptor, subscribe: Subscribe
) -> DiscoveredService:
    """All that a publish frame says of one service."""
    protocol, info = service_info_of(frame, descriptor)
    extension = _extension_of(frame, descriptor)
    suites, contexts = frame.find(CipherSuiteInfo), frame.find(SecurityContextInfo)
    pairing_extension = frame.find(PairingBootstrappingExtension)
    offered = () if suites is None else suites.suites
    return DiscoveredService(
        nmi=frame.source,
        publish_id=descriptor.instance_id,
        subscribe_id=subscribe.instance_id,
        name=subscribe.name,
        service_info=info,
        protocol=protocol,
        matching_filter=descriptor.matching_filter,
        sdea_control=SdeaControl.NONE if extension is None else extension.control,
        update_indicator=None if extension is None else extension.update_indicator,
        methods=_advertised(frame),
        setup_info=None if pairing_extension is None else pairing_extension.setup_info,
        device_capability=frame.find(DeviceCapability),
        availability=frame.find_all(Availability),
        device_capability_extension=frame.find(DeviceCapabilityExtension),
        identity=frame.find(IdentityResolution),
        suites=tuple(offer.suite for offer in offered if offer.publish_id == descriptor.instance_id),
        security_capabilities=0 if suites is None else suites.capabilities,
        pmkids=() if contexts is None else contexts.pmkids(descriptor.instance_id),
    )


def _advertised(frame: ServiceDiscoveryFrame) -> BootstrappingMethods:
    for each in frame.find_all(PairingBootstrapping):
        if each.type == NpbaType.ADVERTISE:
            return each.methods
    return BootstrappingMethods.NONE


def info_text(found: DiscoveredService) -> dict[str, str]:
    """What an event says of a publisher, as text."""
    pairing = found.device_capability_extension
    info = {"publish_id": str(found.publish_id), "subscribe_id": str(found.subscribe_id)}
    if found.service_info is not None:
        info["service_info"] = found.service_info.hex()
    if found.methods:
        info["methods"] = f"{found.methods.value:#06x}"
    if pairing is not None:
        info["pairing_setup"] = _yes(pairing.is_pairing_setup_enabled)
        info["caching"] = _yes(pairing.is_caching_enabled)
    if found.setup_info is not None:
        info.update(_setup_text(found.setup_info))
    if found.suites:
        info["cipher_suites"] = ",".join(str(suite) for suite in found.suites)
    return info


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _setup_text(data: bytes) -> dict[str, str]:
    try:
        setup = PairingSetupInfo.decode(data)
    except DecodeError as error:
        return {"setup_info": str(error)}
    names = (("pairing_name", setup.pairing_name), ("vendor", setup.vendor_name), ("model", setup.model_name))
    return {key: value for key, value in names if value is not None}


class HeardDevices:
    """The peers that were heard, with the last attributes of each; of too many the one longest silent is forgotten."""

    def __init__(self) -> None:
        self._devices: dict[bytes, PeerDevice] = {}

    def hear(self, frame: ServiceDiscoveryFrame) -> None:
        """Take note of what a frame says of its sender; what it leaves out stays as it was."""
        known = self._devices.pop(frame.source, PeerDevice(nmi=frame.source))
        self._devices[frame.source] = PeerDevice(
            nmi=frame.source,
            device_capability=frame.find(DeviceCapability) or known.device_capability,
            availability=frame.find_all(Availability) or known.availability,
            device_capability_extension=frame.find(DeviceCapabilityExtension) or known.device_capability_extension,
            identity=frame.find(IdentityResolution) or known.identity,
        )
        if len(self._devices) > MAX_DEVICES:
            del self._devices[next(iter(self._devices))]

    def get(self, nmi: bytes) -> PeerDevice | None:
        """The peer, if it was heard."""
        return self._devices.get(nmi)

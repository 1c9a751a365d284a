"""Makes the service discovery frames of a session: publish, subscribe and follow-up, with their attributes in order.

The order is the one that an independent implementation was seen to emit; receivers do not depend on it, known answers
do: SDA, SDEA, element container, bootstrapping methods, device capability, availability, DCEA, NIRA, what a follow-up
carries, CSIA, SCIA. A publisher repeats CSIA and SCIA in every frame of the service.
Source: Wi-Fi Aware specification 4.0, sections 9.2 (SDF) and 9.5.4.
"""

from collections.abc import Iterator, Sequence

from pairing.ieee80211.frames import Category
from pairing.nan.attributes import (
    Attribute,
    BootstrappingMethods,
    NpbaStatus,
    NpbaType,
    PairingBootstrapping,
    PairingBootstrappingExtension,
    ServiceControlType,
    ServiceDescriptor,
    ServiceDescriptorExtension,
    wrap_service_info,
)
from pairing.nan.frames import ServiceDiscoveryFrame
from pairing.nan.identifiers import NAN_NETWORK_ID
from pairing.nan.sessions import LocalDevice, Publish, Session, Subscribe


def publish_frame(
    device: LocalDevice, publish: Publish, destination: bytes = NAN_NETWORK_ID, subscribe_id: int = 0
) -> ServiceDiscoveryFrame:
    """An announcement, or with a subscribe ID the answer to that subscribe."""
    attributes = _attributes(device, publish, ServiceControlType.PUBLISH, subscribe_id, publish.service_info)
    return _frame(device, destination, attributes)


def subscribe_frame(device: LocalDevice, subscribe: Subscribe) -> ServiceDiscoveryFrame:
    """The question of an active subscribe."""
    attributes = _attributes(device, subscribe, ServiceControlType.SUBSCRIBE, 0, subscribe.service_info)
    return _frame(device, NAN_NETWORK_ID, attributes)


def follow_up_frame(
    device: LocalDevice,
    session: Session,
    peer: bytes,
    peer_instance_id: int,
    service_info: bytes = b"",
    carried: Sequence[Attribute] = (),
    *,
    is_protected: bool = False,
) -> ServiceDiscoveryFrame:
    """A follow-up to one instance of a peer: service info, or attributes of pairing, or both."""
    attributes = _attributes(
        device, session, ServiceControlType.FOLLOW_UP, peer_instance_id, service_info, tuple(carried)
    )
    return _frame(device, peer, attributes, is_protected=is_protected)


def _frame(
    device: LocalDevice, destination: bytes, attributes: Iterator[Attribute], *, is_protected: bool = False
) -> ServiceDiscoveryFrame:
    return ServiceDiscoveryFrame(
        destination=destination,
        source=device.nmi,
        bssid=device.cluster_id,
        attributes=tuple(attributes),
        category=Category.PROTECTED_DUAL_OF_PUBLIC if is_protected else Category.PUBLIC,
    )


def _attributes(
    device: LocalDevice,
    session: Session,
    kind: ServiceControlType,
    requestor_instance_id: int,
    service_info: bytes,
    carried: tuple[Attribute, ...] = (),
) -> Iterator[Attribute]:
    yield _descriptor(session, kind, requestor_instance_id, service_info)
    extension = _extension(session, service_info)
    if extension is not None:
        yield extension
    if session.element_container is not None:
        yield session.element_container
    if kind is ServiceControlType.PUBLISH and session.methods:
        yield from advertised_methods(session.methods, session.setup_info)
    if device.device_capability is not None:
        yield device.device_capability
    yield from device.availability
    if session.device_capability_extension is not None:
        yield session.device_capability_extension
    if session.identity is not None:
        yield session.identity
    yield from carried
    if isinstance(session, Publish):
        if session.cipher_suites is not None:
            yield session.cipher_suites
        if session.security_contexts is not None:
            yield session.security_contexts


def _descriptor(session: Session, kind: ServiceControlType, requestor: int, service_info: bytes) -> ServiceDescriptor:
    is_follow_up = kind is ServiceControlType.FOLLOW_UP
    response_filter = None
    if isinstance(session, Subscribe) and session.response_filter is not None and not is_follow_up:
        response_filter = session.response_filter.encode()
    return ServiceDescriptor(
        session.service_id,
        session.instance_id,
        requestor,
        kind,
        matching_filter=None if is_follow_up else session.matching_filter,
        service_response_filter=response_filter,
        service_info=service_info if session.is_service_info_in_sda and service_info else None,
    )


def _extension(session: Session, service_info: bytes) -> ServiceDescriptorExtension | None:
    info = None
    if service_info and not session.is_service_info_in_sda:
        info = wrap_service_info(service_info, session.protocol)
    limit, update = (session.range_limit, session.update_indicator) if isinstance(session, Publish) else (None, None)
    if not session.sdea_control and limit is None and update is None and info is None:
        return None
    return ServiceDescriptorExtension(session.instance_id, session.sdea_control, limit, update, info)


def advertised_methods(methods: BootstrappingMethods, setup_info: bytes | None) -> Iterator[Attribute]:
    """The attributes by which a publisher says how it can be paired."""
    yield PairingBootstrapping(0, NpbaType.ADVERTISE, NpbaStatus.ACCEPTED, methods)
    if setup_info is not None:
        yield PairingBootstrappingExtension(setup_info=setup_info)

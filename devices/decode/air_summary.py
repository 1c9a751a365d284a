"""One line for a frame of the air: `publish _camera._udp PIN display`, `PASN 1 (SAE, group 19)`, `NDP request, M1`.

Frames name a service by its ID; whoever knows names hands them in. Bytes that are no frame of ours are counted.
"""

from collections.abc import Mapping, Sequence

from devices.decode.words import address, count, flags, named, spelled
from pairing.errors import DecodeError
from pairing.ieee80211.elements import Akm, WrappedDataFormat
from pairing.ieee80211.frames import (
    HEADER_LENGTH,
    AuthenticationAlgorithm,
    AuthenticationBody,
    ManagementFrame,
    StatusCode,
    Subtype,
)
from pairing.ieee80211.protection import CipherHeader
from pairing.nan.attributes import (
    BootstrappingMethods,
    Cluster,
    KeyInfo,
    MasterIndication,
    Ndp,
    NdpExtension,
    NdpType,
    NegotiationStatus,
    NpbaStatus,
    NpbaType,
    PairingBootstrapping,
    ServiceControlType,
    ServiceDescriptor,
    ServiceDescriptorExtension,
    SharedKeyDescriptor,
    reason_name,
    unwrap_service_info,
)
from pairing.nan.beacons import Beacon
from pairing.nan.frames import NafSubtype, NanActionFrame, ServiceDiscoveryFrame, is_nan_frame, read_nan_frame
from pairing.pasn.messages import PasnFrame

Names = Mapping[bytes, str]
"""Service ID -> the service's name."""
_FEW = 3
_DATA_PATH = {
    NafSubtype.DATA_PATH_REQUEST: "NDP request",
    NafSubtype.DATA_PATH_RESPONSE: "NDP response",
    NafSubtype.DATA_PATH_CONFIRM: "NDP confirm",
    NafSubtype.DATA_PATH_KEY_INSTALLMENT: "NDP key installment",
    NafSubtype.DATA_PATH_TERMINATION: "NDP termination",
}
_MESSAGES = {
    NafSubtype.DATA_PATH_REQUEST: "M1",
    NafSubtype.DATA_PATH_RESPONSE: "M2",
    NafSubtype.DATA_PATH_CONFIRM: "M3",
    NafSubtype.DATA_PATH_KEY_INSTALLMENT: "M4",
}


def air_summary(payload: bytes, names: Names | None = None) -> str:
    """What a frame says."""
    try:
        frame = ManagementFrame.decode(payload)
    except DecodeError:
        return f"air {count(len(payload), 'byte')}"
    try:
        return _summary(frame, names or {})
    except DecodeError as problem:
        return f"malformed frame of {count(len(payload), 'byte')}: {problem}"


def _summary(frame: ManagementFrame, names: Names) -> str:
    if frame.is_protected:
        return f"protected, packet number {CipherHeader.decode(frame.body[:8]).packet_number}"
    match frame.subtype:
        case Subtype.BEACON:
            return _beacon(Beacon.read(frame))
        case Subtype.AUTHENTICATION:
            return _authentication(frame.body)
        case Subtype.ACTION if is_nan_frame(frame):
            found = read_nan_frame(frame)
            return _action(found) if isinstance(found, NanActionFrame) else _discovery(found, names)
    kind = named(Subtype, frame.subtype)
    return f"{kind if kind != 'unknown' else f'management subtype {frame.subtype}'}, {count(len(frame.body), 'byte')}"


def _beacon(beacon: Beacon) -> str:
    words = ["sync beacon" if beacon.is_sync else "discovery beacon", f"cluster {address(beacon.cluster_id[4:])}"]
    indication, cluster = beacon.find(MasterIndication), beacon.find(Cluster)
    words += [f"preference {indication.preference}"] if indication is not None else []
    words += [count(cluster.hop_count, "hop")] if cluster is not None else []
    return ", ".join(words)


# PASN


def _authentication(data: bytes) -> str:
    body = AuthenticationBody.decode(data, HEADER_LENGTH)
    if body.algorithm != AuthenticationAlgorithm.PASN:
        return f"Authentication, algorithm {body.algorithm}, transaction {body.transaction}, status {body.status}"
    frame = PasnFrame.decode(data, HEADER_LENGTH)
    name = f"PASN {frame.transaction}"
    if frame.status == StatusCode.REJECTED_TEMPORARILY:
        return f"{name}, come back{_comeback_time(frame)}"
    if frame.status:
        return f"{name} refuses, status {frame.status} ({named(StatusCode, frame.status)})"
    words = _pasn_words(frame)
    return f"{name} ({', '.join(words)})" if words else name


def _comeback_time(frame: PasnFrame) -> str:
    try:
        comeback = frame.parameters.comeback
    except DecodeError:
        return ""
    return "" if comeback is None or comeback.after_tu is None else f" after {comeback.after_tu} TU"


def _pasn_words(frame: PasnFrame) -> Sequence[str]:
    """How it authenticates, the group, and what is there or missing that matters."""
    words: list[str] = []
    try:
        parameters = frame.parameters
    except DecodeError:
        return ["no PASN Parameters"]
    if frame.transaction != 3:
        words.append(_credential(frame, parameters.wrapped_format))
    elif parameters.wrapped_format == WrappedDataFormat.SAE:
        words.append("SAE")
    words += [f"group {parameters.group}"] if parameters.group is not None else []
    words += ["with cookie"] if parameters.comeback is not None else []
    words += ["no NAN element"] if frame.nan is None else []
    words += ["no MIC"] if frame.mic is None and frame.transaction > 1 else []
    return words


def _credential(frame: PasnFrame, wrapped_format: int) -> str:
    if wrapped_format == WrappedDataFormat.SAE:
        return "SAE"
    try:
        rsne = frame.rsne
    except DecodeError:
        return "no RSNE"
    if rsne.pmkids:
        return "cached key"
    return "opportunistic" if tuple(rsne.akms) == (Akm.PASN,) else "no credential"


# Service discovery


def _discovery(frame: ServiceDiscoveryFrame, names: Names) -> str:
    told = [_descriptor(frame, each, names) for each in frame.find_all(ServiceDescriptor)]
    return "; ".join(told) or "service discovery frame without a service"


def _descriptor(frame: ServiceDiscoveryFrame, descriptor: ServiceDescriptor, names: Names) -> str:
    service = names.get(descriptor.service_id, descriptor.service_id.hex())
    kind = spelled(descriptor.type.name)
    if descriptor.type is not ServiceControlType.FOLLOW_UP:
        answer = " in answer" if descriptor.requestor_instance_id else ""
        return " ".join((f"{kind} {service}", *_advertised(frame))) + answer
    if frame.find(SharedKeyDescriptor) is not None:
        return f"NIK follow-up {service}"
    message = frame.find(PairingBootstrapping)
    if message is not None:
        return f"bootstrapping {service}: {_bootstrapping(message)}"
    return f"follow-up {service}, {count(_info_length(frame, descriptor), 'byte')}"


def _advertised(frame: ServiceDiscoveryFrame) -> Sequence[str]:
    methods = [each.methods for each in frame.find_all(PairingBootstrapping) if each.type == NpbaType.ADVERTISE]
    return [_methods(each) for each in methods]


def _methods(methods: BootstrappingMethods) -> str:
    number = methods.value.bit_count()
    return flags(BootstrappingMethods, methods) if number <= _FEW else f"{number} methods"


def _bootstrapping(message: PairingBootstrapping) -> str:
    methods = _methods(message.methods)
    if message.type == NpbaType.REQUEST:
        return f"request {methods}" + (", with the cookie" if message.status == NpbaStatus.COMEBACK else "")
    match message.status:
        case NpbaStatus.COMEBACK:
            return f"response, come back after {message.comeback_after} TU"
        case NpbaStatus.REJECTED:
            return f"response, rejected: {reason_name(message.reason)}"
        case NpbaStatus.ACCEPTED:
            return f"response, accepted {methods}"
    return f"{named(NpbaType, message.type)}, status {message.status}"


def _info_length(frame: ServiceDiscoveryFrame, descriptor: ServiceDescriptor) -> int:
    extension = frame.find(ServiceDescriptorExtension)
    if extension is None or extension.service_info is None:
        return len(descriptor.service_info or b"")
    unwrapped = unwrap_service_info(extension.service_info)
    return len(extension.service_info if unwrapped is None else unwrapped[1])


# NAN action frames


def _action(frame: NanActionFrame) -> str:
    name = _DATA_PATH.get(frame.subtype)  # type: ignore[call-overload]  # any number may come
    if name is None:
        kind = named(NafSubtype, frame.subtype)
        return kind if kind != "unknown" else f"NAN action frame of subtype {frame.subtype}"
    words = [name]
    ndp = frame.find(NdpExtension) or frame.find(Ndp)
    carried = frame.find(SharedKeyDescriptor)
    if carried is not None:
        words.append(_MESSAGES.get(frame.subtype, "key descriptor"))  # type: ignore[call-overload]  # as above
        words += ["with group keys"] if _carries_keys(carried) else []
    elif ndp is not None and ndp.type == NdpType.TERMINATE:
        words.append(f"reason {reason_name(ndp.reason)}")
    elif ndp is not None and ndp.status == NegotiationStatus.REJECTED:
        words.append(f"rejected: {reason_name(ndp.reason)}")
    return ", ".join(words)


def _carries_keys(carried: SharedKeyDescriptor) -> bool:
    info = int.from_bytes(carried.descriptor[1:3], "big")
    return bool(info & KeyInfo.ENCRYPTED_KEY_DATA)

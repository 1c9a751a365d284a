"""What the attributes of services, capabilities and the cluster mean."""

from devices.decode.fields import Meanings
from devices.decode.nan import explains
from devices.decode.words import address, count, flags, spelled
from pairing.nan.attributes import (
    Bands,
    Capabilities,
    Cluster,
    ClusterDiscovery,
    CountryCode,
    DeviceCapability,
    DeviceCapabilityExtension,
    OperationMode,
    PairingCapabilities,
    SdeaControl,
    ServiceDescriptor,
    ServiceDescriptorExtension,
    ServiceProtocolType,
    unwrap_service_info,
)
from pairing.nan.beacons import rank_octets, rank_preference
from pairing.nan.matching_filter import decode_filter
from pairing.nan.service_response_filter import ServiceResponseFilter


def rank_text(rank: int) -> str:
    """A master rank by its parts."""
    octets = rank_octets(rank)
    return f"preference {rank_preference(rank)}, random factor {octets[6]}, address {address(octets[:6])}"


@explains(Cluster)
def _cluster(record: Cluster, fields: Meanings) -> str:
    fields.mean("anchor master rank", rank_text(record.anchor_master_rank))
    fields.mean("AMBTT", f"TSF {record.ambtt} µs, low 32 bits")
    return f"{count(record.hop_count, 'hop')} from the anchor master"


@explains(ClusterDiscovery)
def _cluster_discovery(record: ClusterDiscovery, fields: Meanings) -> str:
    fields.mean("cluster ID", address(record.cluster_id))
    fields.mean("anchor master rank", rank_text(record.anchor_master_rank))
    return f"another cluster, {address(record.cluster_id)}"


@explains(CountryCode)
def _country(record: CountryCode, fields: Meanings) -> str:
    return record.code.decode("ascii", "replace")


@explains(ServiceDescriptor)
def _service(record: ServiceDescriptor, fields: Meanings) -> str:
    kind = spelled(record.type.name)
    present = (
        ("binding bitmap", record.binding_bitmap is not None),
        ("matching filter", record.matching_filter is not None),
        ("service response filter", record.service_response_filter is not None),
        ("service info", record.service_info is not None),
        ("range limited", record.is_range_limited),
    )
    fields.mean("service ID", "SHA-256 of the lower-cased name, first 6 octets")
    fields.mean("control", ", ".join((kind, *(word for word, is_there in present if is_there))))
    if record.matching_filter is not None:
        values = decode_filter(record.matching_filter)
        fields.mean("matching filter", ", ".join(value.hex() or "anything" for value in values) or "empty")
    if record.service_response_filter is not None:
        fields.mean("service response filter", _response_filter(record.service_response_filter))
    return f"{kind} {record.service_id.hex()}, instance {record.instance_id}" + (
        f", answers instance {record.requestor_instance_id}" if record.requestor_instance_id else ""
    )


def _response_filter(data: bytes) -> str:
    filter_ = ServiceResponseFilter.decode(data)
    who = "these answer" if filter_.is_include else "all but these answer"
    if filter_.is_bloom:
        return f"{who}: Bloom filter {filter_.address_set.hex()}, index {filter_.bloom_index}"
    places = range(0, len(filter_.address_set), 6)
    return f"{who}: {', '.join(address(filter_.address_set[at : at + 6]) for at in places) or 'nobody'}"


@explains(ServiceDescriptorExtension)
def _extension(record: ServiceDescriptorExtension, fields: Meanings) -> str:
    present = [flags(SdeaControl, record.control)] if record.control else []
    present += ["range limit"] if record.range_limit is not None else []
    present += ["update indicator"] if record.update_indicator is not None else []
    fields.mean("control", ", ".join(present) or "none")
    if record.range_limit is not None:
        fields.mean("range limit", f"ingress {record.range_limit.ingress} cm", f"egress {record.range_limit.egress} cm")
    if record.service_info is not None:
        fields.mean("service info", service_info_text(record.service_info))
    return f"instance {record.instance_id}"


def service_info_text(info: bytes) -> str:
    """Service info by its protocol type, and its octets as text if they are printable."""
    unwrapped = unwrap_service_info(info)
    if unwrapped is None:
        return printable(info)
    protocol, data = unwrapped
    known = {each.value: spelled(each.name) for each in ServiceProtocolType}
    return f"{known.get(protocol, f'protocol type {protocol}')}, {count(len(data), 'octet')} {printable(data)}".rstrip()


def printable(data: bytes) -> str:
    """The octets as quoted text, or nothing if they are none."""
    text = data.decode("ascii", "replace")
    return repr(text) if data and text.isascii() and text.isprintable() else ""


def _awake(field: int) -> str:
    return "never" if not field else "every window" if field == 1 else f"every {1 << field - 1}th window"


@explains(DeviceCapability)
def _capability(record: DeviceCapability, fields: Meanings) -> str:
    committed = f"2.4 GHz {_awake(record.committed_dw_2_4_ghz)}, 5 GHz {_awake(record.committed_dw_5_ghz)}"
    fields.mean("committed DW", committed)
    fields.mean("bands", flags(Bands, record.bands))
    fields.mean("operation mode", flags(OperationMode, record.operation_mode))
    fields.mean("antennas", f"TX {record.tx_antennas}, RX {record.rx_antennas}")
    fields.mean("max channel switch time", f"{record.max_channel_switch_time} µs")
    fields.mean("capabilities", flags(Capabilities, record.capabilities))
    return ""


@explains(DeviceCapabilityExtension)
def _capability_extension(record: DeviceCapabilityExtension, fields: Meanings) -> str:
    meaning = flags(PairingCapabilities, record.pairing)
    fields.mean("pairing info", meaning)
    return meaning

"""What the attributes of bootstrapping, identity, security and data paths mean."""

from devices.decode.fields import Meanings
from devices.decode.nan import explains
from devices.decode.nan_service import service_info_text
from devices.decode.words import flags, named
from pairing.dnssd.txt import TxtRecord
from pairing.errors import DecodeError
from pairing.nan.attributes import (
    BootstrappingMethods,
    CipherSuite,
    CipherSuiteInfo,
    IdentityResolution,
    KeyDescriptor,
    KeyInfo,
    Ndp,
    NdpControl,
    NdpeTlvType,
    NdpExtension,
    NdpType,
    NegotiationStatus,
    NpbaStatus,
    NpbaType,
    PairingBootstrapping,
    PairingBootstrappingExtension,
    SecurityContextInfo,
    SecurityContextType,
    SharedKeyDescriptor,
    reason_name,
)

MIC_LENGTHS = (0, 16, 24)
"""Of a NIK follow-up, of suites 1 and 7, of suites 2 and 8."""


@explains(PairingBootstrapping)
def _bootstrapping(record: PairingBootstrapping, fields: Meanings) -> str:
    kind = named(NpbaType, record.type)
    if record.type == NpbaType.RESPONSE or record.status:
        kind = f"{kind}, {named(NpbaStatus, record.status)}"
    fields.mean("type and status", kind)
    fields.mean("reason", reason_name(record.reason))
    if record.comeback_after is not None:
        fields.mean("comeback after", f"{record.comeback_after} TU")
    methods = flags(BootstrappingMethods, record.methods)
    fields.mean("methods", methods)
    return f"{kind}, {methods}"


@explains(PairingBootstrappingExtension)
def _bootstrapping_extension(record: PairingBootstrappingExtension, fields: Meanings) -> str:
    if record.setup_info is None:
        return ""
    try:
        strings = TxtRecord.decode(record.setup_info).entries
    except DecodeError:
        return "setup info that is cut"
    shown = ", ".join(
        f"{key.decode(errors='replace')}={(value or b'').decode(errors='replace')}" for key, value in strings
    )
    fields.mean("setup info", shown)
    return shown


@explains(IdentityResolution)
def _identity(record: IdentityResolution, fields: Meanings) -> str:
    fields.mean("tag", 'HMAC-SHA-256(NIK, "NIR" || NMI || nonce), first 8 octets')
    return ""


@explains(CipherSuiteInfo)
def _suites(record: CipherSuiteInfo, fields: Meanings) -> str:
    groups = ("no group keys", "GTK and IGTK", "GTK, IGTK and BIGTK", "group keys 3")[record.group_key_support]
    more = ("16 ND-TKSA replay counters", "16 GTKSA replay counters", "BIP-GMAC-256")
    bits = (record.capabilities & 0x01, record.capabilities & 0x08, record.capabilities & 0x10)
    fields.mean("capabilities", ", ".join((groups, *(word for word, is_set in zip(more, bits, strict=True) if is_set))))
    names = [suite_name(offer.suite) for offer in record.suites]
    fields.mean("cipher suite", *names)
    return ", ".join(
        f"{name} for publish ID {offer.publish_id}" for name, offer in zip(names, record.suites, strict=True)
    )


def suite_name(suite: int) -> str:
    """`NCS-PK-PASN-128` for 7."""
    try:
        return CipherSuite(suite).name.replace("_", "-") if suite else "none"
    except ValueError:
        return f"suite {suite}"


@explains(SecurityContextInfo)
def _contexts(record: SecurityContextInfo, fields: Meanings) -> str:
    fields.mean("context type", *(named(SecurityContextType, each.type) for each in record.contexts))
    return ", ".join(f"{each.value.hex()} for publish ID {each.publish_id}" for each in record.contexts)


@explains(SharedKeyDescriptor)
def _key_descriptor(record: SharedKeyDescriptor, fields: Meanings) -> str:
    if not record.descriptor:
        return ""
    length = mic_length_of(record.descriptor)
    if length is None:
        fields.mean("remaining octets", "a key descriptor that ends elsewhere than its key data")
        return ""
    inner = fields.inside("remaining octets", called="key descriptor")
    descriptor = KeyDescriptor.read(inner, length)
    meanings = Meanings(inner.fields)
    meanings.mean("descriptor type", "NAN" if descriptor.descriptor_type == 2 else "")
    meanings.mean("key info", f"{descriptor.key_info:#06x}: {flags(KeyInfo, descriptor.key_info)}")
    if not length:
        return "no MIC, as in the NIK exchange"
    return f"MIC of {length} octets" + ("" if any(descriptor.mic) else ", zero")


def mic_length_of(descriptor: bytes) -> int | None:
    """How long the MIC of a key descriptor is: only then its key data ends where the descriptor ends."""
    for length in MIC_LENGTHS:
        try:
            found = KeyDescriptor.decode(descriptor, length)
        except DecodeError:
            continue
        if not found.surplus and bool(length) >= bool(found.key_info & KeyInfo.MIC):
            return length
    return None


@explains(NdpExtension)
def _ndp_extension(record: NdpExtension, fields: Meanings) -> str:
    fields.mean("TLV type", *(named(NdpeTlvType, each.type) for each in record.tlvs))
    for each in record.tlvs:
        match each.type:
            case NdpeTlvType.IPV6_INTERFACE_ID if len(each.value) == 8:
                groups = ":".join(f"{int.from_bytes(each.value[at : at + 2], 'big'):x}" for at in range(0, 8, 2))
                fields.mean("TLV value", f"fe80::{groups}")
            case NdpeTlvType.SERVICE_INFO:
                fields.mean("TLV value", service_info_text(each.value))
            case _:
                fields.mean("TLV value", "")
    return _ndp_head(record, fields)


@explains(Ndp)
def _ndp(record: Ndp, fields: Meanings) -> str:
    if record.service_info:
        fields.mean("remaining octets", f"service info {service_info_text(record.service_info)}".rstrip())
    return _ndp_head(record, fields)


def _ndp_head(record: Ndp | NdpExtension, fields: Meanings) -> str:
    kind, status = named(NdpType, record.type), named(NegotiationStatus, record.status)
    fields.mean("type and status", f"{kind}, {status}")
    fields.mean("reason", reason_name(record.reason))
    present = [flags(NdpControl, record.control)] if record.control else []
    present += ["publish ID"] if record.publish_id is not None else []
    present += ["responder NDI"] if record.responder_ndi is not None else []
    fields.mean("NDP control", ", ".join(present) or "none")
    return f"{kind}, {status}, NDP ID {record.ndp_id}"

"""Which Bonjour services a border router publishes in its present state, and what their TXT records say.

The answer follows the `Network` model alone, so no old value can linger: the caller compares it with what it has
published. Ports come from whoever owns the sockets. Presence of keys by state as measured from OpenThread's border
agent (2026-08): `xp` and `nn` with a complete active dataset, `pt`, `at` and `omr` while attached, `sq` and `bb` while
attached with the backbone router function on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv6Network

from pairing.dnssd.service import EMPTY_TXT, ServiceInstance
from pairing.dnssd.txt import TxtRecord
from pairing.errors import EncodeError
from pairing.thread.ephemeral_key import EphemeralKeyState
from pairing.thread.meshcop_txt import EPHEMERAL_SERVICE_TYPE, SERVICE_TYPE, MeshCopTxt
from pairing.thread.network_view import NetworkView
from pairing.thread.state_bitmap import ThreadRole

TREL_SERVICE_TYPE = "_trel._udp"
PLACEHOLDER_PORT = 49152
"""SRV port while Thread is disabled: no border agent listens then."""
BACKBONE_PORT = 61631
ROLE_KEYS = frozenset({"sb", "xp", "nn", "pt", "at", "sq", "bb", "omr"})
"""TXT keys that follow role and dataset."""


@dataclass(frozen=True, slots=True)
class TxtLies:
    """What the `_meshcop._udp` record may say wrongly, on request. None and empty: nothing."""

    ext_pan_id: bytes | None = None
    ext_address: bytes | None = None
    no_role_bits: bool = False
    missing_key: str | None = None


@dataclass(frozen=True, slots=True)
class TxtOverride:
    """One key of `_meshcop._udp` that this product says otherwise than its state, as some vendors do."""

    key: str
    value: bytes | None = None
    """None: the key without a value."""
    omitted: bool = False


@dataclass(frozen=True, slots=True)
class Naming:
    """How the product calls itself."""

    vendor: str
    model: str
    oui: bytes | None = None
    instance: str | None = None
    """Fixed instance name; by default `<vendor> <model> #<last 4 hex digits of xa>`, as OpenThread makes it."""
    subtypes: tuple[str, ...] = ()
    overrides: tuple[TxtOverride, ...] = ()


@dataclass(frozen=True, slots=True)
class Ports:
    """UDP ports in use; None where no socket is open."""

    meshcop: int | None = None
    trel: int | None = None


def instance_name_of(network: NetworkView, naming: Naming) -> str:
    """The service instance name before any conflict."""
    if naming.instance:
        return naming.instance
    return f"{naming.vendor} {naming.model} #{network.ext_address[-2:].hex().upper()}"


def meshcop_txt(network: NetworkView, naming: Naming) -> MeshCopTxt:
    """The truth about the border agent as its record tells it."""
    dataset = network.active_dataset
    complete = dataset is not None and not dataset.missing("active")
    attached = network.attached
    backbone = attached and network.backbone_router
    return MeshCopTxt(
        border_agent_id=network.border_agent_id,
        record_version="1",
        state_bitmap=network.state_bitmap,
        thread_version=network.config.thread_version,
        extended_address=network.ext_address,
        extended_pan_id=dataset.ext_pan_id if dataset is not None and complete else None,
        network_name=dataset.network_name if dataset is not None and complete else None,
        partition_id=network.partition_id if attached else None,
        active_timestamp=dataset.active_timestamp if dataset is not None and attached else None,
        bbr_sequence_number=network.backbone_router_sequence if backbone else None,
        bbr_port=BACKBONE_PORT if backbone else None,
        domain_name=network.config.domain_name,
        omr_prefix=IPv6Network((network.omr_prefix + bytes(8), 64)) if attached else None,
        vendor_name=naming.vendor,
        model_name=naming.model,
        vendor_oui=naming.oui,
    )


def overridden(truth: MeshCopTxt, overrides: Iterable[TxtOverride], *, attached: bool) -> MeshCopTxt:
    """What the state says with the overrides applied; keys that follow the role are overridden only while attached."""
    pending = {each.key.lower(): each for each in overrides if attached or each.key.lower() not in ROLE_KEYS}
    if not pending:
        return truth
    entries: list[tuple[bytes, bytes | None]] = []
    for key, value in truth.to_txt().entries:
        override = pending.pop(key.decode("latin-1").lower(), None)
        if override is None:
            entries.append((key, value))
        elif not override.omitted:
            entries.append((key, override.value))
    entries += [(each.key.encode("latin-1"), each.value) for each in pending.values() if not each.omitted]
    return MeshCopTxt.from_txt(TxtRecord(tuple(entries)))


def lie(record: MeshCopTxt, lies: TxtLies) -> TxtRecord:
    """The record as told: the truth, bent where a lie asks for it."""
    if lies.ext_pan_id is not None:
        record = replace(record, extended_pan_id=lies.ext_pan_id)
    if lies.ext_address is not None:
        record = replace(record, extended_address=lies.ext_address)
    if lies.no_role_bits and record.state_bitmap is not None:
        bitmap = replace(record.state_bitmap, role=ThreadRole.DISABLED_OR_DETACHED)
        record = replace(record, state_bitmap=bitmap)
    told = record.to_txt()
    if lies.missing_key is None:
        return told
    missing = lies.missing_key.encode()
    return TxtRecord(tuple(entry for entry in told.entries if entry[0] != missing))


def border_agent_services(
    network: NetworkView, naming: Naming, ports: Ports, lies: TxtLies | None = None
) -> tuple[ServiceInstance, ...]:
    """Every service to publish now, `_meshcop._udp` first. Raises EncodeError for a name that has no wire form."""
    host = f"ot{network.ext_address.hex()}"
    instance = instance_name_of(network, naming)
    truth = meshcop_txt(network, naming)
    shown = overridden(truth, naming.overrides, attached=network.attached)
    port = ports.meshcop if network.enabled and ports.meshcop is not None else PLACEHOLDER_PORT
    services = [
        ServiceInstance(
            instance, SERVICE_TYPE, host, port, txt=lie(shown, lies or TxtLies()).encode(), subtypes=naming.subtypes
        )
    ]
    if network.enabled and ports.trel is not None and truth.extended_pan_id is not None:
        trel = MeshCopTxt(extended_address=network.ext_address, extended_pan_id=truth.extended_pan_id)
        services.append(
            ServiceInstance(
                f"otTREL{network.ext_address.hex()}", TREL_SERVICE_TYPE, host, ports.trel, txt=trel.encode()
            )
        )
    key = network.ephemeral_key
    if key.state not in (EphemeralKeyState.DISABLED, EphemeralKeyState.STOPPED):
        services.append(ServiceInstance(instance, EPHEMERAL_SERVICE_TYPE, host, key.port, txt=EMPTY_TXT))
    return tuple(services)


def check_naming(naming: Naming) -> None:
    """Raise EncodeError for texts that fit no TXT string or label."""
    for key, value in (("vn", naming.vendor), ("mn", naming.model)):
        if len(key) + 1 + len(value.encode()) > 255:
            raise EncodeError(f"{key} is {len(value.encode())} bytes; a TXT string holds {255 - len(key) - 1}")

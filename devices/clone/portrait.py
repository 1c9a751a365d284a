"""What is known of a real border router, and the home file of an accessory that looks like it.

What the accessory would say by itself is worked out on the network model; only where the real one says something else
does the file carry a TXT key of its own. Secrets are replaced by drawn ones unless asked for, and a home with real
secrets is bound to loopback.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.accessories.border_router_settings import (
    BorderRouterSettings,
    config_of,
    dataset_of,
    identity_of,
    naming_of,
)
from devices.spec import read_home
from pairing.dnssd.txt import TxtRecord
from pairing.engine import Entropy
from pairing.thread.border_agent_services import meshcop_txt
from pairing.thread.dataset import Dataset
from pairing.thread.dataset_forms import DatasetFieldError, read_fields
from pairing.thread.meshcop_txt import MeshCopTxt
from pairing.thread.network import Network
from pairing.thread.state_bitmap import InterfaceStatus
from pairing.thread.tlvs import SECRET_TYPES, Tlv

_ID = "br"
_PREFIX_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """A real border router as far as it could be read."""

    name: str = ""
    """Its Bonjour instance name."""
    txt: TxtRecord | None = None
    dataset: Dataset | None = field(default=None, repr=False)
    has_dataset: bool = True
    """False where it is known to be factory fresh; without `dataset` its fields are then not made up."""
    ext_address: bytes | None = None
    border_agent_id: bytes | None = None
    enabled: bool | None = None


def home_of(portrait: Portrait, *, secrets: bool, entropy: Entropy) -> dict[str, Any]:
    """The tables of a home file with one accessory like the portrait. They have been checked as a home file is."""
    accessory = _accessory(portrait, secrets=secrets, entropy=entropy)
    accessory["txt"] = _own_txt(portrait.txt, accessory)
    home: dict[str, Any] = {"name": f"Clone of {portrait.name or 'a border router'}"}
    if secrets and portrait.dataset is not None:
        home |= {"reach": "loopback", "real_secrets": True}
    home["accessory"] = [{key: value for key, value in accessory.items() if value not in ({}, "")}]
    read_home(home, "clone")
    return home


def without_secrets(dataset: Dataset, entropy: Entropy) -> Dataset:
    """The same TLVs in the same order, with drawn bytes for network key, PSKc and the like."""
    return Dataset.from_tlvs(
        Tlv(tlv.type, entropy(len(tlv.value))) if tlv.type in SECRET_TYPES else tlv for tlv in dataset.tlvs
    )


def _accessory(portrait: Portrait, *, secrets: bool, entropy: Entropy) -> dict[str, Any]:
    txt = MeshCopTxt.from_txt(portrait.txt) if portrait.txt is not None else MeshCopTxt()
    table: dict[str, Any] = {
        "id": _ID,
        "kind": "thread-border-router",
        "name": portrait.name,
        "vendor": txt.vendor_name,
        "model": txt.model_name,
        "vendor_oui": _hex(txt.vendor_oui),
        "ext_address": _hex(portrait.ext_address or txt.extended_address),
        "border_agent_id": _hex(portrait.border_agent_id or txt.border_agent_id),
        "dataset": _dataset(portrait, txt, secrets=secrets, entropy=entropy),
        "thread_version": txt.thread_version,
        "domain_name": txt.domain_name,
    }
    prefix = txt.omr_prefix
    if prefix is not None and prefix.prefixlen == _PREFIX_BITS:
        table["omr_prefix"] = prefix.network_address.packed[:8].hex()
    enabled = portrait.enabled
    if txt.state_bitmap is not None:
        if txt.state_bitmap.interface_status is InterfaceStatus.ACTIVE:
            table["backbone_router"] = txt.state_bitmap.bbr_active
        table["ephemeral_key"] = txt.state_bitmap.ephemeral_key_supported
        if enabled is None:
            enabled = txt.state_bitmap.interface_status is not InterfaceStatus.NOT_INITIALISED
    table["enabled"] = enabled
    return {key: value for key, value in table.items() if value is not None and _fits(key, value)}


def _dataset(portrait: Portrait, txt: MeshCopTxt, *, secrets: bool, entropy: Entropy) -> str | dict[str, Any]:
    """Hex where it was read; else the fields that Bonjour shows, with drawn keys; `none` for a factory-fresh one."""
    if portrait.dataset is not None:
        return (portrait.dataset if secrets else without_secrets(portrait.dataset, entropy)).hex()
    if not portrait.has_dataset or txt.extended_pan_id is None:
        return "none"
    fields: dict[str, Any] = {
        "network_name": txt.network_name,
        "ext_pan_id": txt.extended_pan_id.hex(),
        "active_timestamp": txt.active_timestamp._asdict() if txt.active_timestamp else None,
    }
    drawn = {"network_key": entropy(16).hex(), "pskc": entropy(16).hex()}
    return {name: value for name, value in fields.items() if _is_field(name, value)} | drawn


def _is_field(name: str, value: object) -> bool:
    """Whether a real router's value may stand in a dataset; what may not is said in TXT alone."""
    try:
        return name in read_fields({name: value})
    except DatasetFieldError:
        return False


def _fits(key: str, value: object) -> bool:
    """Whether the accessory takes a real router's value for this key; what it does not is said in TXT alone."""
    from pydantic import ValidationError

    if key not in BorderRouterSettings.model_fields:
        return True
    try:
        BorderRouterSettings.model_validate({key: value})
    except ValidationError:
        return False
    return True


def _own_txt(real: TxtRecord | None, accessory: Mapping[str, Any]) -> dict[str, str | bool]:
    """The TXT keys that the accessory would say otherwise than the real one, or draws anew at each start."""
    if real is None:
        return {}
    settings = BorderRouterSettings.model_validate(
        {key: value for key, value in accessory.items() if key in BorderRouterSettings.model_fields}
    )
    wanted = _by_key(real)
    # Said twice with other chance: what differs between the two is drawn, and must be said as the real one does.
    own = [_by_key(_said(settings, accessory["name"], drawn)) for drawn in (b"\x01", b"\x02")]
    txt: dict[str, str | bool] = {}
    for key, value in wanted.items():
        if any(key not in said or said[key] != value for said in own):
            txt[key] = True if value is None else value.hex()
    return txt | {key: False for key in own[0] if key not in wanted}


def _said(settings: BorderRouterSettings, name: str, drawn: bytes) -> TxtRecord:
    """What an accessory of these settings says when it has come up, if chance gave only these bytes."""

    def entropy(count: int) -> bytes:
        return drawn * count

    config = config_of(settings, "0s")
    network = Network(
        config,
        entropy,
        identity=identity_of(settings, entropy),
        active_dataset=dataset_of(_ID, settings, entropy, {}),
    )
    if network.active_dataset is not None if settings.enabled is None else settings.enabled:
        network.enable(0)
        network.handle_timeout(config.attach)
    return meshcop_txt(network, naming_of(settings, name)).to_txt()


def _by_key(record: TxtRecord) -> dict[str, bytes | None]:
    """What counts for a client, by lower-case key."""
    return {key.decode("latin-1").lower(): value for key, value in record.items()}


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()

"""The keys of a Thread border router in a home file, and how they become a node's configuration and dataset."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from devices.accessories.base import Settings
from devices.actor import Actor, Site
from devices.errors import HomeFileError
from devices.spec import Period, duration_us
from pairing.engine import Entropy, Micros
from pairing.errors import EncodeError, PairingError
from pairing.thread.border_agent import BorderAgentSettings
from pairing.thread.border_agent_services import Naming, TxtOverride
from pairing.thread.dataset import Dataset
from pairing.thread.dataset_generator import from_fields, generate
from pairing.thread.dataset_rules import openthread_verdict
from pairing.thread.joiner_sessions import JoinerServerSettings
from pairing.thread.management import ManagementPolicy
from pairing.thread.network import Network
from pairing.thread.node import NetworkConfig, NodeIdentity
from pairing.thread.pskc import derive_pskc


def _hex(length: int, *, is_secret: bool = False) -> AfterValidator:
    def check(text: str) -> str:
        try:
            came = len(bytes.fromhex(text))
        except ValueError:
            said = "another text" if is_secret else repr(text)
            raise ValueError(f"expected {2 * length} hex digits, not {said}") from None
        if came != length:
            raise ValueError(f"expected {2 * length} hex digits ({length} bytes), came {2 * came} ({came} bytes)")
        return text.lower()

    return AfterValidator(check)


Port = Annotated[int, Field(ge=0, le=65535)]
SAME_AS = "same as "


class BorderRouterSettings(Settings):
    """Everything has a default; what is not given is drawn from the home's seed."""

    vendor: str = Field("pairlab", max_length=63, description="TXT `vn`")
    model: str = Field("Border Router", max_length=63, description="TXT `mn`")
    vendor_oui: Annotated[str, _hex(3)] | None = Field(None, description="TXT `vo`, 6 hex digits")
    ext_address: Annotated[str, _hex(8)] | None = Field(None, description="TXT `xa`, 16 hex digits")
    border_agent_id: Annotated[str, _hex(16)] | None = Field(None, description="TXT `id`, 32 hex digits")
    dataset: str | dict[str, Any] = Field(
        default_factory=dict,
        description="hex TLVs, a table of fields (missing ones are drawn), `same as ID` of an accessory above, "
        "or `none`: factory fresh",
    )
    enabled: bool | None = Field(None, description="Thread on at power-on; default: when it has a dataset")
    attach: Period | None = Field(None, description="time to become leader; default 7s, in tests 0.2s")
    rest_port: Port | None = Field(None, description="0 = any; default 8081 or the next free one")
    meshcop_port: Port | None = Field(None, description="0 = any, another one each time Thread is enabled")
    trel_port: Port | None = Field(None, description="0 = any")
    joiner_port: Port | None = Field(None, description="0 = any; where joiners register, in place of the radio")
    pskc: Annotated[str, _hex(16, is_secret=True)] | None = Field(
        None,
        repr=False,
        description="Commissioners' key, 32 hex digits, in place of the dataset's; all zeros let none in",
    )
    passphrase: str | None = Field(
        None,
        repr=False,
        description="Commissioners' passphrase, from which with name and extended PAN ID the PSKc is derived",
    )
    provisioning_url: str | None = Field(
        None, description="what joiners must name to the built-in commissioner; empty = none; default any"
    )
    replace_without_session_id: bool = Field(
        False, description="a set without Commissioner Session ID replaces the dataset, as OpenThread does"
    )
    thread_version: str = Field("1.4.0", max_length=20, description="TXT `tv`")
    domain_name: str = Field("DefaultDomain", max_length=16, description="TXT `dn`")
    omr_prefix: Annotated[str, _hex(8)] | None = Field(None, description="TXT `omr`, the first 16 hex digits of a /64")
    subtypes: list[str] = Field([], description="subtypes of the Bonjour service, such as `_home`")
    backbone_router: bool = Field(True, description="TXT `sq` and `bb`, and bits 7 and 8 of `sb`")
    ephemeral_key: bool = Field(True, description="credential sharing by code, bit 11 of `sb`")
    txt: dict[str, str | bool] = Field(
        {}, description="keys of TXT said otherwise than the state: hex, `true` without a value, `false` left out"
    )
    rename: Literal["apple", "avahi", "openthread"] = Field("apple", description="how a name conflict is resolved")

    @field_validator("txt")
    @classmethod
    def _check_txt(cls, txt: dict[str, str | bool]) -> dict[str, str | bool]:
        for key, value in txt.items():
            if not key or "=" in key or not key.isascii() or not key.isprintable():
                raise ValueError(f"a TXT key is printable ASCII without `=`, not {key!r}")
            try:
                came = bytes.fromhex(value) if isinstance(value, str) else b""
            except ValueError:
                raise ValueError(f"`{key}`: expected the value's bytes as hex digits, not {value!r}") from None
            if len(key) + 1 + len(came) > 255:
                raise ValueError(f"`{key}`: a TXT string holds 255 bytes, key and `=` included")
        return txt

    @model_validator(mode="after")
    def _check_credential(self) -> Self:
        if self.pskc is not None and self.passphrase is not None:
            raise ValueError("give pskc or passphrase, not both")
        if self.pskc is None and self.passphrase is None:
            return self
        if self.dataset == "none" or (isinstance(self.dataset, str) and self.dataset.startswith(SAME_AS)):
            raise ValueError(f"pskc and passphrase need a dataset of the router's own, not {self.dataset!r}")
        return self

    @property
    def is_factory_fresh(self) -> bool:
        """True when it starts without a dataset."""
        return self.dataset == "none"


def naming_of(settings: BorderRouterSettings, given_name: str) -> Naming:
    """How the product calls itself on Bonjour."""
    return Naming(
        vendor=settings.vendor,
        model=settings.model,
        oui=bytes.fromhex(settings.vendor_oui) if settings.vendor_oui else None,
        instance=given_name or None,
        subtypes=tuple(settings.subtypes),
        overrides=tuple(_override(key, value) for key, value in settings.txt.items()),
    )


def _override(key: str, value: str | bool) -> TxtOverride:
    return TxtOverride(key, bytes.fromhex(value) if isinstance(value, str) else None, omitted=value is False)


def config_of(settings: BorderRouterSettings, default_attach: str) -> NetworkConfig:
    """What the node is made like."""
    attach: Micros = duration_us(settings.attach or default_attach)
    return NetworkConfig(
        attach=attach,
        # The built-in commissioner keeps the measured proportion to the time to attach.
        petition=min(100_000, attach),
        backbone_router=settings.backbone_router,
        ephemeral_key=settings.ephemeral_key,
        thread_version=settings.thread_version,
        domain_name=settings.domain_name,
        vendor_name=settings.vendor,
        vendor_model=settings.model,
        omr_prefix=bytes.fromhex(settings.omr_prefix) if settings.omr_prefix else None,
    )


def identity_of(settings: BorderRouterSettings, entropy: Entropy) -> NodeIdentity:
    """Who the node is: as given, the rest drawn."""
    drawn = NodeIdentity.draw(entropy)
    return NodeIdentity(
        border_agent_id=bytes.fromhex(settings.border_agent_id) if settings.border_agent_id else drawn.border_agent_id,
        ext_address=bytes.fromhex(settings.ext_address) if settings.ext_address else drawn.ext_address,
        mesh_local_iid=drawn.mesh_local_iid,
    )


def datasets_above(site: Site) -> Mapping[str, Dataset | None]:
    """The datasets of the accessories that stand above in the file, by id."""
    return {each.id: _dataset(each) for each in site.others()}


def _dataset(actor: Actor) -> Dataset | None:
    network = getattr(actor, "network", None)
    return network.active_dataset if isinstance(network, Network) else None


def same_dataset(actor_id: str, text: str, above: Mapping[str, Dataset | None]) -> Dataset:
    """The dataset of the accessory that `same as ID` names. Raises HomeFileError."""
    other = text.removeprefix(SAME_AS).strip()
    found = above.get(other)
    if found is None:
        raise HomeFileError(
            f"accessory {actor_id!r}: dataset: no accessory {other!r} with a dataset stands above it in the file"
        )
    return found


def dataset_of(
    actor_id: str, settings: BorderRouterSettings, entropy: Entropy, above: Mapping[str, Dataset | None]
) -> Dataset | None:
    """The dataset it starts with, None for a factory-fresh one. Raises HomeFileError, which names the rule."""
    given = settings.dataset
    if given == "none":
        return None
    if isinstance(given, str) and given.startswith(SAME_AS):
        return same_dataset(actor_id, given, above)
    try:
        if isinstance(given, dict):
            return with_credential(settings, from_fields(given, entropy) if given else generate(entropy))
        return with_credential(settings, read_dataset(given))
    except PairingError as problem:
        raise HomeFileError(f"accessory {actor_id!r}: dataset: {problem}") from None


def with_credential(settings: BorderRouterSettings, dataset: Dataset) -> Dataset:
    """The dataset with the Commissioners' key that the table gives, if it gives one. Raises EncodeError."""
    if settings.pskc is not None:
        return dataset.with_tlvs(Dataset.of(pskc=bytes.fromhex(settings.pskc)))
    if settings.passphrase is None:
        return dataset
    if dataset.network_name is None or dataset.ext_pan_id is None:
        raise EncodeError("a passphrase makes a PSKc only with a network name and an extended PAN ID")
    pskc = derive_pskc(settings.passphrase, dataset.network_name, dataset.ext_pan_id)
    return dataset.with_tlvs(Dataset.of(pskc=pskc))


def border_agent_of(settings: BorderRouterSettings) -> BorderAgentSettings:
    """How the Border Agent behaves when it tells no lies."""
    return BorderAgentSettings(
        management=ManagementPolicy(without_session=settings.replace_without_session_id),
        joiners=JoinerServerSettings(provisioning_url=settings.provisioning_url),
    )


def read_dataset(text: str) -> Dataset:
    """A dataset from hex TLVs, refused by the rules of OpenThread. Raises DecodeError or EncodeError."""
    dataset = Dataset.from_hex(text)
    verdict = openthread_verdict(dataset.encode())
    if not verdict.accepted:
        raise EncodeError(f"{verdict.rule}: expected {verdict.expected}, came {verdict.came}")
    return dataset

"""Which Border Agent `pairlab thread` means: one of the running home, one at an address, or one that Bonjour shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from devices.cli.thread_secrets import VARIABLES, from_environment, needed, read_secret
from devices.errors import EmulatorError, UsageError

if TYPE_CHECKING:
    from pairing.dnssd.service import ResolvedService

_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the options said; the secrets as they were typed."""

    target: str = ""
    address: str = ""
    name: str = ""
    reach: str | None = None
    pskc: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    network_name: str = ""
    ext_pan_id: str = ""

    @property
    def is_outside(self) -> bool:
        """Whether it is reached from here rather than through a running home."""
        return bool(self.address or self.name)

    def arguments(self, *, needs_key: bool = True) -> dict[str, str]:
        """The access arguments of a commissioner's verbs. Raises UsageError, EmulatorError if Bonjour has none."""
        if self.is_outside and self.target:
            raise UsageError("--target is a border router of the running home; --address and --name are any other")
        given = {what: read_secret(getattr(self, what), what) for what in ("pskc", "passphrase", "code")}
        if self.is_outside and not any(given.values()):
            given = {what: from_environment(what) for what in given}
        known = {"network_name": self.network_name, "ext_pan_id": self.ext_pan_id, "target": self.target}
        address = self.address
        if self.name:
            found = _found(self.name, self.reach, is_code=bool(given["code"]))
            address = found.address
            known = {"network_name": found.network_name, "ext_pan_id": found.ext_pan_id} | {
                name: value for name, value in known.items() if value
            }
        if self.is_outside and needs_key and not any(given.values()):
            variables = ", ".join(VARIABLES[what] for what in given)
            given["pskc"] = needed("", "pskc", f"the PSKc (or --passphrase, --code; {variables})")
        return {name: value for name, value in {**known, **given, "address": address}.items() if value}


@dataclass(frozen=True, slots=True)
class Found:
    """A Border Agent that Bonjour shows."""

    address: str
    network_name: str = ""
    ext_pan_id: str = ""


def _found(name: str, reach: str | None, *, is_code: bool) -> Found:
    from devices.cli.search import search
    from pairing.thread.meshcop_txt import EPHEMERAL_SERVICE_TYPE, SERVICE_TYPE

    return choose(name, search([SERVICE_TYPE, EPHEMERAL_SERVICE_TYPE], reach, _PATIENCE_S), is_code=is_code)


def choose(name: str, seen: "Sequence[ResolvedService]", *, is_code: bool) -> Found:
    """The Border Agent whose instance or network has this name. Raises EmulatorError with those that there are."""
    from pairing.thread.meshcop_txt import EPHEMERAL_SERVICE_TYPE, SERVICE_TYPE

    service_type = EPHEMERAL_SERVICE_TYPE if is_code else SERVICE_TYPE
    networks = {each.instance: _network(each) for each in seen if each.type == SERVICE_TYPE}
    candidates = [each for each in seen if each.type == service_type]
    matching = [each for each in candidates if name in (each.instance, networks.get(each.instance, ("", ""))[0])]
    matching = matching or [each for each in candidates if each.instance.lower().startswith(name.lower())]
    resolved = [each for each in matching if each.is_resolved]
    if len(resolved) != 1:
        raise EmulatorError(_why(name, service_type, candidates, matching, resolved))
    chosen = resolved[0]
    host = str(next((each for each in chosen.addresses if each.version == 4), chosen.addresses[0]))
    address = f"[{host}]:{chosen.port}" if ":" in host else f"{host}:{chosen.port}"
    network_name, ext_pan_id = networks.get(chosen.instance, ("", ""))
    return Found(address, network_name, ext_pan_id)


def _why(
    name: str,
    service_type: str,
    candidates: "Sequence[ResolvedService]",
    matching: "Sequence[ResolvedService]",
    resolved: "Sequence[ResolvedService]",
) -> str:
    names = ", ".join(repr(each.instance) for each in candidates)
    if len(resolved) > 1:
        return f"{name!r} means more than one: {', '.join(repr(each.instance) for each in resolved)}"
    if matching:
        return f"{name!r} is announced as {service_type}, and nobody says where it is"
    if names:
        return f"no {service_type} is called {name!r}; there are {names}"
    return f"nobody announces {service_type} within {_PATIENCE_S:g} s; --address says where, --reach looks elsewhere"


def _network(service: "ResolvedService") -> tuple[str, str]:
    """Network name and extended PAN ID that a record tells."""
    from pairing.dnssd.txt import TxtRecord
    from pairing.errors import DecodeError
    from pairing.thread.meshcop_txt import MeshCopTxt

    try:
        txt = MeshCopTxt.from_txt(TxtRecord.decode(service.txt or b"\x00"))
    except DecodeError:
        return "", ""
    return txt.network_name or "", txt.extended_pan_id.hex() if txt.extended_pan_id else ""

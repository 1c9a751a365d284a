"""`pairlab browse`: what Bonjour shows, decoded as far as pairlab knows the service.

Seen by python-zeroconf, a client that is not ours; for border routers also what Home Assistant would make of each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from devices.cli import output
from devices.cli.search import search

if TYPE_CHECKING:
    from pairing.dnssd.service import ResolvedService
    from pairing.dnssd.txt import TxtRecord

_KNOWN_TYPES = ("_meshcop._udp", "_meshcop-e._udp", "_trel._udp", "_matter._tcp", "_matterc._udp", "_hap._tcp")


def _complete_type(incomplete: str) -> list[str]:
    return [name for name in _KNOWN_TYPES if name.startswith(incomplete)]


def browse(
    types: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TYPE", autocompletion=_complete_type, help="Service types such as _meshcop._udp; without, all."
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="How long to look.")] = 3.0,
    reach: Annotated[
        str | None, typer.Option(help="loopback, all, or interface names. (default: PAIRLAB_REACH, all)")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """What Bonjour shows on this network, decoded."""
    documents = [describe(service) for service in search(types or (), reach, seconds)]
    if json:
        output.emit({"services": documents})
        return
    if not documents:
        wanted = " or ".join(types) if types else "anything"
        output.warn(f"nobody advertised {wanted} within {seconds:g} s; --seconds looks longer, --reach elsewhere")
    for number, document in enumerate(documents):
        if number:
            output.say()
        output.say(f"{document['instance']}  {document['type']}")
        output.rows(_lines(document), indent="  ")


def describe(service: "ResolvedService") -> dict[str, Any]:
    """A service as JSON values: the record as it came, and for border routers what it means."""
    from pairing.dnssd.txt import TxtRecord
    from pairing.errors import DecodeError
    from pairing.thread.meshcop_txt import SERVICE_TYPE

    document: dict[str, Any] = {
        "instance": service.instance,
        "type": service.type,
        "host": service.host or None,
        "port": service.port,
        "addresses": [str(address) for address in service.addresses],
        "txt": None,
    }
    if service.txt is None:
        return document
    try:
        record = TxtRecord.decode(service.txt)
    except DecodeError as problem:
        return document | {"txt_hex": service.txt.hex(), "txt_error": str(problem)}
    document["txt_hex"] = service.txt.hex()
    document["txt"] = {key.decode("latin-1"): None if value is None else value.hex() for key, value in record.items()}
    if service.type == SERVICE_TYPE:
        document["meshcop"] = _meshcop(service.instance, record)
    return document


def _meshcop(instance: str, record: "TxtRecord") -> dict[str, Any]:
    """What the record of a border router means, with the vendors' habits that it shows."""
    from pairing.thread.home_assistant_view import DiscoveredRouter, discover
    from pairing.thread.meshcop_txt import FIELD_NAMES, MeshCopTxt, quirks

    meaning = MeshCopTxt.from_txt(record)
    values = {key: meaning.meaning(key) for key in FIELD_NAMES}
    seen = discover(instance, record)
    home_assistant: dict[str, Any] = {"discovered": isinstance(seen, DiscoveredRouter), **asdict(seen)}
    return {
        "fields": {
            FIELD_NAMES[key]: _json(value) for key, value in values.items() if value is not None and key != "sb"
        },
        "state_bitmap": meaning.state_bitmap.meaning() if meaning.state_bitmap else None,
        "malformed": [key.decode("latin-1") for key, _ in meaning.malformed],
        "quirks": [{"name": quirk.name, "what": quirk.what} for quirk in quirks(meaning)],
        "home_assistant": home_assistant,
    }


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "_asdict"):
        return value._asdict()
    return value if isinstance(value, int | str) else str(value)


def _lines(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A service as label and text."""
    host, port = document["host"], document["port"]
    yield "where", f"{host}.local port {port}" if host else "seen, but nobody says where it is"
    if document["addresses"]:
        yield "addresses", " ".join(document["addresses"])
    if "txt_error" in document:
        yield "TXT", f"cannot be read: {document['txt_error']}"
    elif document["txt"] is None:
        yield "TXT", "none came with the answers, so an Android app would not see it"
    elif "meshcop" in document:
        yield from _meshcop_lines(document["txt"], document["meshcop"])
    else:
        for key, value in document["txt"].items():
            yield key, _text(value)


def _meshcop_lines(txt: Mapping[str, str | None], meshcop: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from pairing.thread.meshcop_txt import FIELD_NAMES

    for key, value in txt.items():
        name = FIELD_NAMES.get(key.lower())
        if name is None:
            yield key, _text(value)
        elif key in meshcop["malformed"]:
            yield f"{key} (malformed)", _text(value)
        elif name == "state_bitmap":
            yield f"{key} state bitmap", _bitmap(meshcop["state_bitmap"])
        else:
            meaning = meshcop["fields"][name]
            if isinstance(meaning, dict):
                meaning = ", ".join(f"{part} {each}" for part, each in meaning.items())
            yield f"{key} {name.replace('_', ' ')}", str(meaning)
    view = meshcop["home_assistant"]
    if view["discovered"]:
        brand = view["brand"] or "no brand known"
        yield "Home Assistant", f"lists it ({brand}{', unconfigured' if view['unconfigured'] else ''})"
    else:
        yield "Home Assistant", f"ignores it: no `{view['missing']}`"
    for quirk in meshcop["quirks"]:
        yield "habit", quirk["what"]


def _bitmap(meaning: Mapping[str, Any]) -> str:
    words = [
        f"connection {meaning['connectionMode']}",
        f"interface {meaning['interfaceStatus']}",
        f"availability {meaning['availability']}",
        f"role {meaning['role']}",
    ]
    if meaning["bbrActive"]:
        words.append("primary backbone router" if meaning["bbrPrimary"] else "backbone router")
    if meaning["ephemeralKeySupported"]:
        words.append("shares by code")
    words.append(f"multi-AIL {meaning['multiAil']}")
    if meaning["admitterSupported"]:
        words.append("admitter")
    return f"{meaning['value']}: {', '.join(words)}"


def _text(value: str | None) -> str:
    """A TXT value that has no known meaning: as text where it is text, else in hex."""
    if value is None:
        return "(no value)"
    data = bytes.fromhex(value)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return f"0x{value}"
    return text if text.isprintable() else f"0x{value}"

"""`pairlab decode`: bytes of any layer that we speak, as a tree of named fields; captures packet by packet.

What the bytes are is guessed from their looks unless `--as` says it. A malformed frame is shown up to the fault, then
comes one error with its offset.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from devices.cli import output
from devices.errors import EmulatorError, UsageError

if TYPE_CHECKING:
    from devices.decode.captures import Packet
    from devices.decode.layers import Decoded

_BETWEEN_DIGITS = re.compile(r"[\s:-]+")
_HEX = re.compile(r"(0[xX])?((?:[0-9A-Fa-f]{2})*)([0-9A-Fa-f]?)")


def decode(
    source: Annotated[
        str, typer.Argument(metavar="HEX|-|FILE", help="Hex digits, stdin, a capture (pcap, pcapng), a transcript.")
    ],
    layer: Annotated[
        str | None, typer.Option("--as", metavar="LAYER", help="What it is; without, it is guessed.")
    ] = None,
    brief: Annotated[bool, typer.Option("--brief", help="Of a capture, one line a packet.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show what bytes say, field by field: 802.11, Wi-Fi Aware, PASN, Bluetooth, DNS, Thread datasets, MeshCoP, TCAT.

    Exit 1: they could not be read whole; the error says where. Exit 2: no hex, no file, or a damaged capture.
    """
    data = None if source == "-" else hex_digits(source)
    if data is not None:
        _show_bytes(data, layer, json=json)
        return
    with _opened(source) as stream:
        name = "stdin" if source == "-" else source
        packets = _packets(stream, name)
        if packets is None:
            _show_bytes(_content(stream, name), layer, json=json)
        elif layer is not None:
            raise UsageError(f"{name}: --as is for bytes; a capture says itself what its packets are")
        else:
            _show_packets(name, packets, brief=brief, json=json)


def hex_digits(text: str) -> bytes | None:
    """The bytes of hex digits as people write them: 0x, white space, colons and hyphens pass. None if it is no hex."""
    found = _HEX.fullmatch(_BETWEEN_DIGITS.sub("", text))
    if found is None:
        return None
    if found[3]:
        raise UsageError(f"an odd number of hex digits, {2 * (len(found[2]) // 2) + 1}: the last byte is cut")
    return bytes.fromhex(found[2])


# Where the bytes come from


def _opened(source: str) -> "nullcontext[BufferedReader] | BufferedReader":
    if source == "-":
        return nullcontext(sys.stdin.buffer)  # type: ignore[arg-type]  # a buffered reader unless somebody replaced it
    path = Path(source)
    try:
        is_file = path.exists()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        raise UsageError(f"{_cut(source)!r} is neither hex digits nor a file")
    return path.open("rb")


def _packets(stream: BufferedReader, name: str) -> "Iterator[Packet] | None":
    """The packets of a capture or a transcript; None if it is neither."""
    from devices.decode.captures import is_capture, read_capture
    from devices.transcripts.packets import is_transcript, read_packets

    head = stream.peek(128)
    if is_capture(head):
        return read_capture(stream, name)
    if not is_transcript(head):
        return None
    return read_packets(stream if stream.seekable() else BytesIO(stream.read()), name)


def _content(stream: BufferedReader, name: str) -> bytes:
    """What hex text says; a file that holds none is the bytes themselves."""
    content = stream.read()
    data = hex_digits(content.decode("ascii", "replace"))
    if data is not None:
        return data
    if name == "stdin":
        raise UsageError(f"stdin: {_cut(content.decode('utf-8', 'replace'))!r} is neither hex digits nor a capture")
    return content


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


# What is shown


def _show_bytes(data: bytes, layer: str | None, *, json: bool) -> None:
    from devices.decode import layers
    from devices.decode.text import lines, title_line
    from pairing.errors import DecodeError

    decoded = layers.decode(data) if layer is None else layers.decode_as(layers.layer_called(layer), data)
    if json:
        output.emit(decoded.as_json())
    else:
        _say_all((title_line(decoded), *lines(decoded.fields)))
    if decoded.error is not None:
        raise DecodeError(decoded.error.offset, f"{decoded.layer.name}: {decoded.error.reason}")


def _say_all(lines: Iterable[str]) -> bool:
    return all(output.say(line) for line in lines)


def _show_packets(name: str, packets: "Iterable[Packet]", *, brief: bool, json: bool) -> None:
    from devices.errors import CaptureError, TranscriptError

    documents: list[dict[str, Any]] = []
    damage: UsageError | None = None
    malformed = 0
    first_ns: int | None = None
    try:
        for packet in packets:
            first_ns = packet.at_ns if first_ns is None else first_ns
            decoded = _decoded(packet)
            malformed += decoded is not None and decoded.error is not None
            if json:
                documents.append(_document(packet, decoded))
            elif not _say_all(_packet_lines(packet, decoded, packet.at_ns - first_ns, brief=brief)):
                return
    except (CaptureError, TranscriptError) as problem:
        damage = problem  # what came before it is shown all the same
    if json:
        output.emit({"file": name, "packets": documents, "damage": None if damage is None else str(damage)})
    if damage is not None:
        raise damage
    if malformed:
        output.complain(f"{name}: {malformed} packet{'s' * (malformed > 1)} could not be read whole")
        raise typer.Exit(EmulatorError.exit_code)


def _decoded(packet: "Packet") -> "Decoded | None":
    """The packet by its link type; None for one of an unknown link type that looks like nothing we know."""
    from devices.decode.captures import decode_packet
    from pairing.errors import DecodeError

    try:
        return decode_packet(packet)
    except DecodeError:
        return None


def _document(packet: "Packet", decoded: "Decoded | None") -> dict[str, Any]:
    from devices.decode.captures import summary_of

    head: dict[str, Any] = {
        "number": packet.number,
        "at_ns": str(packet.at_ns),
        "link_type": packet.link_type,
        "comment": packet.comment or None,
        "summary": summary_of(packet),
    }
    unknown = {"layer": None, "length": len(packet.data), "value": packet.data.hex()}
    return head | (unknown if decoded is None else decoded.as_json())


def _packet_lines(packet: "Packet", decoded: "Decoded | None", since_ns: int, *, brief: bool) -> Iterator[str]:
    from devices.decode.captures import summary_of
    from devices.decode.text import lines

    cut = f", cut from {packet.length} bytes" if packet.length > len(packet.data) else ""
    comment = f"  [{packet.comment}]" if packet.comment else ""
    yield f"#{packet.number:<5} {since_ns / 1e9:12.6f} s  {summary_of(packet)}{cut}{comment}"
    if decoded is None:
        return
    if not brief:
        yield from lines(decoded.fields)
    if decoded.error is not None:
        yield f"        error: {decoded.layer.name}: {decoded.error}"
    if not brief:
        yield ""

"""TLS out of datagrams and GATT, as TCP that tshark opens: the recorded connection of a TCAT device and its client."""

import json
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from devices.event_log import StampedEvent
from devices.media.ble import CONTROLLER, HOST
from devices.transcripts.export import to_pcapng
from devices.transcripts.pcapng import PcapngWriter
from devices.transcripts.pcapng_tap import PcapngTap
from devices.transcripts.reader import Frame, Happened, Record
from devices.transcripts.tls_streams import TlsStreams
from pairing.engine import Endpoint, Event
from pairing.thread.tcat.events import TcatHandshakeFailed, TcatSessionOpened
from tests.support.needs import requires_tools

VECTORS = Path(__file__).parents[2] / "vectors" / "tcat"
TLS: dict[str, Any] = json.loads((VECTORS / "tls.json").read_text())
EXCHANGE = json.loads((VECTORS / f"{TLS['exchange']}.json").read_text())["exchanges"]
CLIENT, DEVICE = Endpoint("127.0.0.1", 54321, ""), Endpoint("127.0.0.1", 10001, "")
ATT_MTU, ACL = 185, 27


def pieces() -> Iterator[tuple[bool, bytes]]:
    """Whether each piece of the stream is the client's, and its bytes."""
    for each in TLS["records"]:
        yield each["from"] == "commissioner", bytes.fromhex(each["datagram"])


def over_lan() -> list[Record]:
    return [
        Frame(at, "lan", "lamp", *((CLIENT, DEVICE) if is_clients else (DEVICE, CLIENT)), data)
        for at, (is_clients, data) in enumerate(pieces())
    ]


def hci(att: bytes, host: str, *, comes: bool) -> Iterator[Record]:
    """An ATT PDU in packets of 27 octets of connection 1, as one host sees it."""
    whole = len(att).to_bytes(2, "little") + b"\4\0" + att
    for start in range(0, len(whole), ACL):
        part = whole[start : start + ACL]
        flags = 0x1001 if start else 0x2001
        packet = b"\2" + flags.to_bytes(2, "little") + len(part).to_bytes(2, "little") + part
        yield Frame(0, "ble", host, *((CONTROLLER, HOST) if comes else (HOST, CONTROLLER)), packet)


def over_gatt(news: bytes = b"\x1b") -> list[Record]:
    """Both hosts recorded; a value of another characteristic and an answer come in between."""
    found: list[Record] = []
    for is_clients, data in pieces():
        for start in range(0, len(data), ATT_MTU - 3):
            value = data[start : start + ATT_MTU - 3]
            att = (b"\x12\x10\x00" if is_clients else news + b"\x12\x00") + value
            found += hci(att, "phone", comes=not is_clients)
            found += hci(att, "lamp", comes=is_clients)
            found += hci(b"\x13", "lamp", comes=not is_clients)
            found += hci(b"\x52\x20\x00another", "lamp", comes=True)
    return found


def streams(records: list[Record]) -> bytes:
    """What is found, without the heads of IP and TCP."""
    found = TlsStreams()
    packets = [found.packet(each) for each in records if isinstance(each, Frame)]
    return b"".join(each.data[40:] for each in packets if each is not None)


@pytest.mark.parametrize(
    "records", [over_lan(), over_gatt(), over_gatt(b"\x1d")], ids=["datagrams", "notified", "indicated"]
)
def test_a_stream_is_found_once_and_whole(records: list[Record]) -> None:
    assert streams(records) == b"".join(data for _, data in pieces())


def test_what_does_not_begin_with_a_hello_is_no_stream() -> None:
    assert streams(over_lan()[1:]) == streams(over_gatt()[30:]) == b""
    assert streams([Frame(0, "ble", "lamp", CONTROLLER, HOST, b"\2\1")]) == b""


@pytest.mark.interop
@pytest.mark.parametrize("records", [over_lan(), over_gatt()], ids=["datagrams", "GATT"])
@pytest.mark.parametrize("secrets", [True, False])
def test_tshark_opens_it_where_the_secrets_are_told(tmp_path: Path, records: list[Record], secrets: bool) -> None:
    requires_tools("tshark")
    event = {"type": "TcatSessionOpened", **({"key_log": TLS["keyLog"][0] + "\n"} if secrets else {})}
    capture = tmp_path / "capture.pcapng"
    with capture.open("wb") as sink:
        to_pcapng([Happened(0, event), *records], sink.write)
    command = ["tshark", "-r", str(capture), "-Y", 'frame.interface_name == "tls"', "-T", "fields", "-e", "data.data"]
    done = subprocess.run(
        [*command, "-e", "_ws.malformed", "-e", "tls.record.content_type"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    opened = [part for data, _, _ in lines for part in data.split(",") if part]
    told = [text for each in EXCHANGE for text in (each["request"], each["reply"]) if text]
    assert opened[: len(told)] == (told if secrets else [])
    assert not [each for each in lines if each[1]]
    assert "22" in ",".join(each[2] for each in lines)


@pytest.mark.parametrize("event", [TcatSessionOpened(key_log=f"{TLS['keyLog'][0]}\n"), TcatHandshakeFailed(reason="x")])
def test_a_live_capture_holds_a_stream_back_until_its_key_is_told_or_there_is_none(event: Event) -> None:
    out = BytesIO()
    tap = PcapngTap(PcapngWriter(out.write), lambda: 0, later=lambda _, __: None, secrets=True)
    frames = [each for each in over_lan() if isinstance(each, Frame)]
    tap.sent("lan", "lamp", frames[1].source, frames[1].to, frames[1].payload)
    before = out.tell()
    for each in frames:
        tap.sent(each.medium, each.sender, each.source, each.to, each.payload)
    assert out.tell() == before
    tap.happened(StampedEvent(1, 0, "lamp", "ble", event))
    assert out.getvalue().count(TLS["keyLog"][0].encode()) == isinstance(event, TcatSessionOpened)
    assert out.getvalue().count(b"sent as UDP") == len(frames)

"""Adverts and HCI packets, field by field and in one line."""

import pytest

from devices.bluetooth.adverts import adverts
from devices.bluetooth.tables import AdvertTable
from devices.decode.captures import BLUETOOTH_H4, Packet, summary_of
from devices.decode.hci import hci_summary
from devices.decode.layers import decode, decode_as, layer_called

PACKETS = {
    "01030c00": "Reset",
    "040e0401030c00": "Command Complete of Reset",
    "040f0412010d20": "Command Status of LE Create Connection, status 0x12",
    "043e0f0201000106050403020103020106c8": "advert of 01:02:03:04:05:06: no data, -56 dBm",
    "04050400010013": "Disconnection Complete of connection 1, reason 0x13",
    "0201200700030004000a0300": "ATT Read Request 0x0003",
    "0201200700030004000b6464": "ATT Read Response 6464",
    "020120090005000400010a030005": "ATT Error Response: insufficient authentication, to Read Request of 0x0003",
    "0201200600020006000505": "SMP Pairing Failed: pairing not supported",
    "0201100200abcd": "the next part of an L2CAP frame",
    "04050200": "HCI 4 bytes, malformed: parameters needs 2 bytes, 1 left",
}


def test_what_we_advertise_is_read_back_in_words() -> None:
    table = AdvertTable(services=["180f"], manufacturer={"004c": "0102"}, name="advert", tx_power=-4, appearance=833)
    advert, _ = adverts(table, "Lamp", [])
    decoded = decode(advert)
    assert (decoded.layer.name, decoded.error) == ("ad", None)
    assert [(each.name, each.meaning) for each in decoded.fields if each.name != "length"] == [
        ("flags", "general discoverable, no BR/EDR"),
        ("16-bit services", "180f"),
        ("manufacturer data", "company 004c: 0102"),
        ("appearance", "0x0341"),
        ("TX power", "-4 dBm"),
        ("name", "Lamp"),
    ]


def test_an_advert_that_is_cut_says_where() -> None:
    decoded = decode_as(layer_called("ad"), bytes.fromhex("0201060509"))
    assert decoded.error is not None
    assert decoded.error.offset == 4


@pytest.mark.parametrize("packet", PACKETS)
def test_a_packet_is_one_line(packet: str) -> None:
    data = bytes.fromhex(packet)
    assert hci_summary(data) == PACKETS[packet]
    assert summary_of(Packet(1, 0, BLUETOOTH_H4, data, len(data))) == PACKETS[packet]

"""Bluetooth in a ladder: each data packet once, from peer to peer; a host's talk with its own controller on request."""

import pytest

from devices.transcripts.ladder import ladder
from devices.transcripts.reader import Frame
from devices.transcripts.rungs import Cast

STRAP, PHONE = bytes.fromhex("449fca88d8c3"), bytes.fromhex("e0dc782ce5c2")
HOST, CONTROLLER = b"host", b"controller"


def _said(actor: str, packet: str) -> Frame:
    return Frame(0, "ble", actor, HOST, CONTROLLER, bytes.fromhex(packet))


def _heard(actor: str, packet: str) -> Frame:
    return Frame(0, "ble", actor, CONTROLLER, HOST, bytes.fromhex(packet))


def _connected(actor: str, handle: int, role: int, peer: bytes, status: int = 0) -> Frame:
    fixed = handle.to_bytes(2, "little").hex() + f"{role:02x}01"
    return _heard(actor, f"043e1301{status:02x}{fixed}{peer.hex()}0c000000480000")


RANDOM_ADDRESSES = [_said("strap", f"01052006{STRAP.hex()}"), _said("phone", f"0135200700{PHONE.hex()}")]
CONNECTED = [_connected("strap", 1, 1, PHONE), _connected("phone", 2, 0, STRAP)]


def _arrows(*frames: Frame, hci: bool = False) -> list[tuple[str, str]]:
    everything = [*RANDOM_ADDRESSES, *frames]
    _, *lines = ladder(everything, Cast.of(everything), hci=hci)
    return [(line[14:30].rstrip(), line[30:]) for line in lines]


def test_a_data_packet_goes_once_from_peer_to_peer() -> None:
    request = "0300040002 0502"
    drawn = _arrows(
        *CONNECTED,
        _said("phone", f"02020007 00{request}"),
        _heard("phone", "0413050102000100"),
        _heard("strap", f"02012007 00{request}"),
        _said("strap", "02010007000300040003b900"),
    )
    assert drawn == [
        ("◀──────●", "LE Connection Complete: connection 2 with C3:D8:88:CA:9F:44"),
        ("◀──────●", "ATT Exchange MTU Request 517"),
        ("●──────▶", "ATT Exchange MTU Response 185"),
    ]


def test_an_advert_comes_from_whoever_has_its_address() -> None:
    legacy = f"043e0c020100 01{STRAP.hex()}00ce"
    stranger = f"043e0c020100 01{'11' * 6}00ce"
    assert [arrow for arrow, _ in _arrows(_heard("phone", legacy), _heard("phone", stranger))] == [
        "●──────▶",
        "│      ●",
    ]


def test_a_public_address_is_learned_from_the_controllers_answer() -> None:
    public = bytes.fromhex("010203040506")
    frames = [_heard("strap", f"040e0a01091000{public.hex()}"), _connected("phone", 5, 0, public)]
    assert [arrow for arrow, _ in _arrows(*frames)] == ["◀──────●"]


def test_a_connection_that_failed_leads_to_nobody() -> None:
    drawn = _arrows(_connected("phone", 3, 0, STRAP, status=0x3E), _said("phone", "02030007000300040002 0502"))
    assert [arrow for arrow, _ in drawn] == ["◀──────●", "│      ●"]


def test_with_hci_every_packet_has_its_rung_and_points_at_nobody_else() -> None:
    drawn = _arrows(_heard("phone", "040e0401030c00"), hci=True)
    assert drawn[-1] == ("│      ●", "Command Complete of Reset")
    assert len(drawn) == len(RANDOM_ADDRESSES) + 1
    assert _arrows(_heard("phone", "040e0401030c00")) == []


@pytest.mark.parametrize(
    "packet", ["01", "02", "0201", "04", "043e", "043e0001", "043e0102", "043e010d", "040e03010910"]
)
def test_a_packet_that_is_cut_off_breaks_nothing(packet: str) -> None:
    assert len(_arrows(_said("phone", packet), _heard("phone", packet), hci=True)) == len(RANDOM_ADDRESSES) + 2
    assert len(_arrows(_said("phone", packet), _heard("phone", packet))) <= 2

"""Frames of the air as trees: every recorded frame whole, fields where the recording says that the values are.

The recordings are of an independent implementation, which lists the values beside the frames.
"""

import json
from typing import Any

import pytest

from devices.decode.layers import decode, decode_as, layer_called
from tests.support.decoded import leaves, named, octets, one
from tests.support.nan_capture import FOLDER, Capture, captures

CAPTURES = captures()
FRAMES = [
    pytest.param(frame.octets, id=f"{name}-{number}-{frame.kind}")
    for name, capture in CAPTURES.items()
    for number, frame in enumerate(capture.frames)
]


def frame_of(capture: Capture, kind: str, number: int = 0) -> bytes:
    return [each.octets for each in capture.frames if each.kind == kind][number]


@pytest.mark.parametrize("frame", FRAMES)
def test_recorded_frame_reads_whole_and_each_octet_is_in_one_field(frame: bytes) -> None:
    decoded = decode(frame)
    assert (decoded.layer.name, decoded.error) == ("802.11", None)
    assert octets(decoded.fields) == frame
    place = 0
    for each in leaves(decoded.fields):
        assert each.offset == place
        place += len(each.octets)


def test_protected_frame_shows_its_packet_number_and_no_more() -> None:
    frame = next(each for each in CAPTURES["password_protected_128_01"].document["frames"] if "protected_hex" in each)
    decoded = decode(bytes.fromhex(frame["protected_hex"]))
    assert one(decoded, "CCMP or GCMP header").meaning == "packet number 1"
    assert named(decoded, "Service Descriptor (SDA)") == []


@pytest.mark.parametrize("name", ["password_pin_keypad_128_01", "opportunistic_256_01"])
def test_pasn_frame_2_has_the_recorded_mic_and_key(name: str) -> None:
    recorded = CAPTURES[name].document["responder"]["pasn"]
    decoded = decode(frame_of(CAPTURES[name], "auth2"))
    mic = [each for each in named(decoded, "MIC") if not each.fields]
    assert [each.octets.hex() for each in mic] == [recorded["mic2"]]
    assert one(decoded, "public key").meaning == "x with y even"


def test_wrapped_sae_of_frame_2_has_the_recorded_scalar_element_and_lengths() -> None:
    capture = CAPTURES["password_pin_keypad_128_01"]
    sae = capture.document["responder"]["sae"]
    decoded = decode(frame_of(capture, "auth2"))
    assert one(decoded, "scalar").octets.hex() == sae["own_scalar"]
    assert one(decoded, "element x").octets.hex() + one(decoded, "element y").octets.hex() == sae["own_element"]
    assert one(decoded, "commit length").number == len(one(decoded, "SAE commit").octets)
    assert one(decoded, "confirm length").number == len(one(decoded, "SAE confirm").octets)


def test_wrapped_sae_of_frames_1_and_3_has_no_length() -> None:
    capture = CAPTURES["password_pin_keypad_128_01"]
    for kind in ("auth1", "auth3"):
        decoded = decode(frame_of(capture, kind))
        assert named(decoded, "commit length") == []
        assert one(decoded, "Wrapped Data").fields[3].name == "authentication algorithm"


def test_nira_of_a_publish_has_the_recorded_nonce_and_tag() -> None:
    capture = CAPTURES["opportunistic_128_01"]
    nira = capture.document["responder"]["nira"][0]
    decoded = decode(frame_of(capture, "publish"))
    assert one(decoded, "nonce").octets.hex() == nira["nonce"]
    assert one(decoded, "tag").octets.hex() == nira["tag"]


@pytest.mark.parametrize("name", ["ndp_passphrase_128_01", "ndp_passphrase_256_01", "ndp_group_keys_256_01"])
def test_key_descriptor_finds_the_length_of_its_mic(name: str) -> None:
    capture = CAPTURES[name]
    recorded = capture.document["responder"]["ndp"]
    for kind, mic in (("ndp_response", "m2_mic"), ("ndp_confirm", "m3_mic"), ("ndp_key_install", "m4_mic")):
        assert one(decode(frame_of(capture, kind)), "MIC").octets.hex() == recorded[mic]
    first = decode(frame_of(capture, "ndp_request"))
    assert one(first, "MIC").octets == bytes(len(recorded["m2_mic"]) // 2)
    assert one(first, "nonce").octets.hex() == recorded["initiator_nonce"]


def test_nik_follow_up_has_no_mic() -> None:
    decoded = decode(frame_of(CAPTURES["opportunistic_128_01"], "nik_followup"))
    assert one(decoded, "Shared Key Descriptor (SKDA)").meaning == "no MIC, as in the NIK exchange"
    assert one(decoded, "key data length").number == 48


def test_ndp_reads_its_addresses_and_the_ipv6_interface_identifier() -> None:
    capture = CAPTURES["ndp_passphrase_128_01"]
    recorded = capture.document["responder"]
    decoded = decode(frame_of(capture, "ndp_response"))
    assert one(decoded, "responder NDI").octets.hex() == recorded["keys"]["own_ndi"]
    peer = capture.document["initiator"]["keys"]["peer_interface_id"]
    address = one(decoded, "TLV value")
    assert address.octets.hex() == peer
    assert address.meaning.startswith("fe80::")


def test_availability_reads_as_the_reference_page_explains_its_example() -> None:
    body = bytes.fromhex("0131000e00e112180004fefffeff117d01000007 00fa021151200000".replace(" ", ""))
    attribute = b"\x12" + len(body).to_bytes(2, "little") + body
    decoded = decode_as(layer_called("nan"), attribute)
    assert [each.meaning for each in named(decoded, "channel bitmap")] == ["channel 149", "channel 6"]
    assert [each.meaning.split(",")[0] for each in named(decoded, "entry control")] == ["committed", "potential"]
    assert one(decoded, "time bitmap control").meaning == "a bit is 16 TU, from 0 TU on, every 512 TU"


def beacons() -> list[dict[str, Any]]:
    document: list[dict[str, Any]] = json.loads((FOLDER / "beacons_constructed.json").read_text())["beacons"]
    return document


@pytest.mark.parametrize("beacon", beacons(), ids=lambda beacon: beacon["hex"][:12])
def test_beacon_reads_as_it_was_constructed(beacon: dict[str, Any]) -> None:
    decoded = decode(bytes.fromhex(beacon["hex"]))
    assert decoded.error is None
    assert one(decoded, "timestamp").number == beacon["tsf"]
    assert one(decoded, "beacon interval").number == beacon["beacon_interval"]
    assert one(decoded, "master preference").number == beacon["master_preference"]
    assert one(decoded, "random factor").number == beacon["random_factor"]
    assert one(decoded, "hop count").number == beacon["hop_count"]
    assert one(decoded, "AMBTT").number == beacon["ambtt"]
    assert one(decoded, "anchor master rank").octets.hex() == beacon["anchor_master_rank_wire"]


def test_cut_frame_is_shown_up_to_the_cut_and_says_where_it_is() -> None:
    frame = frame_of(CAPTURES["opportunistic_128_01"], "publish")
    decoded = decode(frame[:58])
    assert decoded.error is not None
    assert decoded.error.offset == 50
    assert "Device Capability" in decoded.error.reason
    assert one(decoded, "service ID").octets.hex() == "d30b2efaeade"


def test_attribute_lists_and_authentication_bodies_are_recognised_without_their_frame() -> None:
    publish = frame_of(CAPTURES["opportunistic_128_01"], "publish")
    assert decode(publish[30:]).layer.name == "nan"
    assert decode(frame_of(CAPTURES["opportunistic_128_01"], "auth2")[24:]).layer.name == "pasn"
    assert decode(frame_of(CAPTURES["opportunistic_128_01"], "auth2")[30:]).layer.name == "elements"

"""Home Assistant's view of a record, with python-otbr-api's own StateBitmap as the judge of ours."""

from dataclasses import asdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pairing.dnssd.txt import TxtRecord
from pairing.thread.home_assistant_view import (
    DiscoveredRouter,
    NotDiscovered,
    OtbrApiRefusalError,
    discover,
    read_state_bitmap,
)

judge = pytest.importorskip("python_otbr_api.mdns", reason="this python-otbr-api has no StateBitmap").StateBitmap


def libraries_answer(data):
    try:
        bitmap = judge.from_bytes(data)
    except ValueError:
        return None
    return {
        "connection_mode": bitmap.connection_mode.name,
        "thread_interface_status": bitmap.thread_interface_status.name,
        "availability": bitmap.availability.name,
        "is_active": bool(bitmap.is_active),
        "is_primary": bool(bitmap.is_primary),
    }


def our_answer(data):
    try:
        return asdict(read_state_bitmap(data))
    except OtbrApiRefusalError:
        return None


def router(**keys):
    values = {"xa": b"\x01" * 8, "xp": b"\x02" * 8, "vn": b"HomeAssistant", "at": bytes(8), "sb": b"\x00\x00\x01\xb1"}
    merged = {**values, **keys}
    return TxtRecord.of((key, value) for key, value in merged.items() if value != "absent")


def test_every_bitmap_of_the_low_ten_bits_is_read_as_the_library_does():
    for value in range(1 << 10):
        data = value.to_bytes(4, "big")
        assert our_answer(data) == libraries_answer(data)


@given(st.binary(max_size=6))
@example(b"")
@example(b"\x80\x00\x01\xb1")
def test_arbitrary_bitmaps_are_read_as_the_library_does(data):
    assert our_answer(data) == libraries_answer(data)


@pytest.mark.parametrize("key", ["xa", "xp"])
@pytest.mark.parametrize("value", ["absent", b"", None])
def test_router_without_a_usable_key_is_ignored(key, value):
    assert discover("r", router(**{key: value})) == NotDiscovered(key)


def test_missing_extended_address_is_named_before_missing_extended_pan_id():
    assert discover("r", TxtRecord()) == NotDiscovered("xa")


def test_keys_count_only_in_lower_case_as_zeroconf_gives_them():
    record = TxtRecord(((b"XA", b"\x01" * 8), (b"xp", b"\x02" * 8)))

    assert discover("r", record) == NotDiscovered("xa")


@pytest.mark.parametrize(
    ("keys", "unconfigured"),
    [
        ({}, None),
        ({"at": "absent"}, True),
        ({"sb": b"\x00\x00\x01\x31"}, True),
        ({"sb": b"\x00\x00\x0e\x31"}, None),
        ({"sb": "absent"}, None),
        ({"sb": b"\x00"}, None),
        ({"sb": b"\x00\x00\x01\x31", "vn": b"OpenThread"}, None),
        ({"at": "absent", "vn": b"Home Assistant"}, True),
    ],
)
def test_unconfigured_is_true_or_none_and_only_for_home_assistants_own_router(keys, unconfigured):
    view = discover("r", router(**keys))

    assert isinstance(view, DiscoveredRouter)
    assert view.unconfigured is unconfigured


def test_text_that_is_not_utf_8_is_null_and_gives_no_brand():
    view = discover("r", router(vn=b"HomeAssistant\xff", mn=b"\xff", nn=b"\xff", tv=b"\xff"))

    assert isinstance(view, DiscoveredRouter)
    assert (view.vendor_name, view.model_name, view.network_name, view.thread_version) == (None, None, None, None)
    assert view.brand is None


@given(st.lists(st.tuples(st.binary(max_size=3), st.none() | st.binary(max_size=20)), max_size=8))
def test_arbitrary_records_never_raise(entries):
    assert isinstance(discover("r", TxtRecord(tuple(entries))), DiscoveredRouter | NotDiscovered)

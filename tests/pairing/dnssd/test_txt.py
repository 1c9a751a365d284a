"""TXT record data: byte-exact round trips, RFC 6763's rules for keys, and python-zeroconf as the judge of the split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zeroconf import ServiceInfo

from pairing.dnssd.txt import TxtRecord
from pairing.errors import DecodeError, EncodeError

KEYS = st.binary(min_size=1, max_size=20).filter(lambda key: b"=" not in key)
ENTRIES = st.lists(st.tuples(KEYS, st.none() | st.binary(min_size=1, max_size=200)), max_size=12)


def test_value_may_hold_any_byte_and_is_split_at_the_first_equals_sign():
    record = TxtRecord.decode(b"\x07xa=\x00=\xff\x3d")

    assert record.entries == ((b"xa", b"\x00=\xff="),)


def test_key_without_equals_sign_is_present_without_value():
    record = TxtRecord.decode(b"\x04flag\x06empty=")

    assert "flag" in record
    assert record.get("flag") is None
    assert record.get("empty") == b""
    assert "other" not in record


def test_first_of_duplicate_keys_wins_whatever_their_case():
    record = TxtRecord.decode(b"\x03A=1\x03a=2\x03b=3")

    assert record.get("a") == record.get("A") == b"1"
    assert record.keys == (b"A", b"b")
    assert list(record.items()) == [(b"A", b"1"), (b"b", b"3")]


@pytest.mark.parametrize("rdata", [b"\x00", b""], ids=["one zero byte", "no byte at all"])
def test_empty_record_has_no_keys_and_keeps_its_form(rdata):
    record = TxtRecord.decode(rdata)

    assert record.keys == ()
    assert record.encode() == rdata


def test_record_without_entries_is_published_as_one_zero_byte():
    assert TxtRecord().encode() == b"\x00"


def test_strings_without_key_are_skipped_but_survive_a_round_trip():
    rdata = b"\x00\x02=1\x03a=2\x00"
    record = TxtRecord.decode(rdata)

    assert record.keys == (b"a",)
    assert record.get("") is None
    assert record.encode() == rdata


def test_string_that_runs_past_the_end_names_its_offset():
    with pytest.raises(DecodeError, match="needs 5 bytes, 2 left") as caught:
        TxtRecord.decode(b"\x01a\x05bc")

    assert caught.value.offset == 3


def test_string_of_255_bytes_is_the_longest():
    assert len(TxtRecord.of([("k", bytes(253))]).encode()) == 256
    with pytest.raises(EncodeError, match="256 bytes, expected at most 255"):
        TxtRecord.of([("k", bytes(254))])


@pytest.mark.parametrize("key", ["", "a=b", "näme", "a\n"])
def test_key_that_cannot_be_published_is_refused(key):
    with pytest.raises(EncodeError, match="not printable ASCII"):
        TxtRecord.of([(key, b"1")])


@given(st.binary(max_size=600))
def test_arbitrary_bytes_round_trip_or_raise_decode_error(rdata):
    try:
        record = TxtRecord.decode(rdata)
    except DecodeError:
        return
    assert record.encode() == rdata


@given(ENTRIES)
def test_record_round_trips(entries):
    record = TxtRecord(tuple(entries))

    assert TxtRecord.decode(record.encode()) == record


@given(ENTRIES)
def test_keys_and_values_are_those_that_zeroconf_reads(entries):
    rdata = TxtRecord(tuple(entries)).encode()
    judge = ServiceInfo("_x._udp.local.", "i._x._udp.local.", properties=rdata)

    assert dict(reversed(TxtRecord.decode(rdata).entries)) == {
        key: value for key, value in judge.properties.items() if key
    }

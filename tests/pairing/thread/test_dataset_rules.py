"""OpenThread's verdict on datasets, and the specification's."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.errors import DecodeError
from pairing.thread.dataset import Dataset
from pairing.thread.dataset_rules import Finding, Verdict, openthread_verdict, strict_findings
from pairing.thread.tlvs import Tlv

FOLDER = Path(__file__).parents[2] / "vectors" / "thread"
MALFORMED = json.loads((FOLDER / "datasets_malformed.json").read_text())["vectors"]
GOOD = json.loads((FOLDER / "datasets.json").read_text())["vectors"]
REPORTED = Dataset.from_hex(GOOD[0]["hex"])
PENDING = Dataset.from_hex(GOOD[8]["hex"])


def with_value(tlv_type: int, value: str, dataset: Dataset = REPORTED) -> bytes:
    """The dataset's bytes with another value for one TLV, at the end."""
    return dataset.without(tlv_type).encode() + Tlv(tlv_type, bytes.fromhex(value)).encode()


@pytest.mark.parametrize("vector", MALFORMED, ids=lambda vector: vector["name"])
def test_verdict_on_malformed_datasets_is_openthreads(vector: dict[str, str]) -> None:
    verdict = openthread_verdict(bytes.fromhex(vector["hex"]))
    assert verdict.accepted is (vector["openthread_set_active"] == "Done")
    assert (verdict.rule is None) is verdict.accepted


@pytest.mark.parametrize("vector", MALFORMED, ids=lambda vector: vector["name"])
def test_strict_rules_find_fault_with_every_malformed_dataset(vector: dict[str, str]) -> None:
    assert strict_findings(bytes.fromhex(vector["hex"]))


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
def test_good_datasets_pass_both(vector: dict[str, str]) -> None:
    data = bytes.fromhex(vector["hex"])
    assert openthread_verdict(data) == Verdict(True)
    kind = "pending" if vector["kind"] == "pending" else "active"
    assert strict_findings(data, kind) == ()


REFUSED = [
    (b"", "empty", 0),
    (REPORTED.encode()[:-1], "truncated-value", 100),
    (REPORTED.encode() + b"\x0c", "truncated-header", 104),
    (REPORTED.encode() + bytes.fromhex("f1ff000161"), "extended-length", 105),
    (REPORTED.encode() + bytes.fromhex("000300000f"), "duplicate-tlv", 104),
    (REPORTED.encode() + bytes.fromhex("f194") + bytes(148), None, None),
    (REPORTED.encode() + bytes.fromhex("f195") + bytes(149), "too-long", 254),
    (with_value(0, "00000a"), "channel-range", 102),
    (with_value(0, "02000b"), "channel-page", 101),
    (with_value(0, "0010"), "value-too-short", 101),
    (with_value(74, "00001b"), "channel-range", 107),
    (with_value(74, "04000b"), "channel-page", 106),
    (with_value(1, "25"), "value-too-short", 102),
    (with_value(14, "00000000000001"), "value-too-short", 96),
    (with_value(51, "00000000000001"), "value-too-short", 106),
    (with_value(52, "007530"), "value-too-short", 106),
    (with_value(12, "02a0"), "value-too-short", 100),
    (with_value(3, "61ff"), "network-name-utf8", 92),
    (with_value(3, "61c3"), "network-name-utf8", 92),
    (with_value(3, "610a"), "network-name-control", 92),
    (with_value(3, "617f"), "network-name-control", 92),
    (with_value(3, "c080"), None, None),
    (with_value(53, ""), "channel-mask-empty", 98),
    (with_value(53, "00"), "channel-mask-header", 98),
    (with_value(53, "0004001fff"), "channel-mask-truncated", 100),
    (with_value(53, "0002001f"), "channel-mask-length", 99),
    (with_value(53, "0200"), None, None),
]


@pytest.mark.parametrize(("data", "rule", "offset"), REFUSED, ids=lambda given: given if isinstance(given, str) else "")
def test_refusal_names_rule_and_offset(data: bytes, rule: str | None, offset: int | None) -> None:
    verdict = openthread_verdict(data)
    assert (verdict.rule, verdict.offset) == (rule, offset)
    assert verdict.accepted is (rule is None)
    assert bool(verdict.expected and verdict.came) is (rule is not None)


LET_PASS = [
    (REPORTED.without(4).encode(), Finding("missing-tlv", "PSKc (4)", "absent", 86)),
    (with_value(5, "6b" * 17), Finding("value-too-long", "NetworkKey of 16 bytes", "17 bytes", 104)),
    (with_value(12, "02a0f7f800"), Finding("value-too-long", "SecurityPolicy of 4 bytes", "5 bytes", 104)),
    (with_value(3, ""), Finding("network-name-length", "a network name of 1 to 16 bytes", "0 bytes", 91)),
    (with_value(3, "6e" * 17), Finding("network-name-length", "a network name of 1 to 16 bytes", "17 bytes", 91)),
    (
        with_value(3, "c1bf"),
        Finding("network-name-utf8", "a network name in UTF-8", "an overlong form or a surrogate", 91),
    ),
    (
        with_value(7, "2001060c28740001"),
        Finding("mesh-local-prefix", "a prefix in fd00::/8", "first byte 0x20", 96),
    ),
    (with_value(1, "ffff"), Finding("pan-id-broadcast", "a PAN ID other than the broadcast one", "0xffff", 102)),
    (with_value(53, "000400000000"), Finding("channel-mask-zero", "a channel from 11 to 26 in the mask", "none", 98)),
    (
        with_value(53, "000480100000"),
        Finding("channel-mask-range", "channels 11 to 26 in the mask of page 0", "channel 0", 98),
    ),
    (with_value(12, "0001f7f8"), Finding("rotation-too-short", "key rotation of 2 hours or more", "1 hours", 100)),
    (
        with_value(12, "02a0f7c0"),
        Finding("security-policy-reserved", "the reserved bits 0x38 of the second flags byte as ones", "0xc0", 103),
    ),
    (with_value(52, "00007530"), Finding("pending-only", "no DelayTimer in an Active Dataset", "DelayTimer", 104)),
]


@pytest.mark.parametrize(("data", "finding"), LET_PASS, ids=lambda given: getattr(given, "rule", ""))
def test_what_openthread_lets_pass_is_a_strict_finding(data: bytes, finding: Finding) -> None:
    assert openthread_verdict(data).accepted
    assert strict_findings(data) == (finding,)


def test_delay_over_72_hours_is_a_strict_finding() -> None:
    data = with_value(52, f"{72 * 3600 * 1000 + 1:08x}", PENDING)
    assert [finding.rule for finding in strict_findings(data, "pending")] == ["delay-timer-range"]
    assert strict_findings(with_value(52, f"{72 * 3600 * 1000:08x}", PENDING), "pending") == ()


def test_pending_dataset_needs_its_own_two() -> None:
    expected = [finding.expected for finding in strict_findings(REPORTED.encode(), "pending")]
    assert expected == ["PendingTimestamp (51)", "DelayTimer (52)"]


def test_strict_findings_list_every_fault_of_a_dataset() -> None:
    data = REPORTED.without(4, 1, 3).encode() + bytes.fromhex("0102ffff" + "030161" + "030161")
    assert [finding.rule for finding in strict_findings(data)] == ["duplicate-tlv", "missing-tlv", "pan-id-broadcast"]


@given(st.binary(max_size=80))
def test_any_bytes_get_a_verdict_and_findings(data: bytes) -> None:
    verdict, findings = openthread_verdict(data), strict_findings(data)
    assert verdict.accepted or findings[0] == Finding(*verdict[1:])
    assert all(0 <= finding.offset <= len(data) for finding in findings)


@given(st.integers(0, 103), st.integers(0, 255))
def test_findings_never_repeat_a_key(place: int, byte: int) -> None:
    data = bytearray(REPORTED.encode())
    data[place] = byte
    key, pskc = (REPORTED.network_key or b"").hex(), (REPORTED.pskc or b"").hex()
    text = repr(strict_findings(bytes(data)))
    assert key not in text
    assert pskc not in text


@given(st.integers(0, 103), st.integers(0, 255))
def test_one_altered_byte_decodes_whenever_openthread_accepts_it(place: int, byte: int) -> None:
    data = bytearray(REPORTED.encode())
    data[place] = byte
    try:
        decoded = Dataset.decode(bytes(data)).encode()
    except DecodeError:
        assert not openthread_verdict(bytes(data)).accepted
    else:
        assert decoded == data

"""`pairlab dataset`: the field table of a public report's dataset, verdicts with exit codes, and fresh datasets."""

from pathlib import Path

import pytest

from pairing.thread.dataset import Dataset
from pairing.thread.dataset_rules import strict_findings
from pairing.thread.pskc import derive_pskc
from tests.support.command_line import POST_9, run, run_process


def test_show_prints_every_field_of_the_reported_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(capsys, "dataset", "show", POST_9)
    assert shown.code == 0
    assert dict(shown.rows) == {
        "Total": "104 bytes, 10 TLVs",
        "Network Name": "GL-S20-new001",
        "Channel": "16 (page 0)",
        "PAN ID": "0x250b",
        "Extended PAN ID": "3c66f0dc9ef53f1c",
        "Mesh-Local Prefix": "fdb3:60c7:2874:da99::/64",
        "Network Key": "4094dce45388fd3d3426e992cbf0697b",
        "PSKc": "6c9f919a4da9b213764fc83f84938108",
        "Active Timestamp": "seconds 1, ticks 0, not authoritative",
        "Channel Mask": "001fffe0 (page 0) = channels 11-26; OpenThread 0x07fff800",
        "Security Policy": "672 h, 672 onrc 0",
    }


def test_show_as_json_round_trips_to_the_same_digits(capsys: pytest.CaptureFixture[str]) -> None:
    document = run(capsys, "dataset", "show", POST_9, "--json").document
    assert document["hex"] == POST_9
    assert document["length"] == 104
    assert "".join(f"{tlv['type']:02x}{tlv['length']:02x}{tlv['value']}" for tlv in document["tlvs"]) == POST_9


def test_fields_of_show_are_what_new_takes(capsys: pytest.CaptureFixture[str]) -> None:
    fields = run(capsys, "dataset", "show", POST_9, "--json").document["fields"]
    again = run(
        capsys, "dataset", "new", "--seed", "1", "--name", fields["network_name"], "--channel", str(fields["channel"]),
        "--pan-id", fields["pan_id"], "--ext-pan-id", fields["ext_pan_id"], "--network-key", fields["network_key"],
        "--pskc", fields["pskc"], "--mesh-local-prefix", fields["mesh_local_prefix"], "--security-policy",
        fields["security_policy"], "--active-timestamp", str(fields["active_timestamp"]["seconds"]),
        "--wakeup-channel", "none",
    )  # fmt: skip
    assert Dataset.from_hex(again.out).same_tlvs(Dataset.from_hex(POST_9))


@pytest.mark.parametrize("text", [POST_9.upper(), f"0x{POST_9}", " ".join(POST_9[i : i + 8] for i in range(0, 208, 8))])
def test_hex_may_be_written_as_people_write_it(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert run(capsys, "dataset", "check", text).code == 0


def test_a_dash_reads_stdin_with_line_ends(tmp_path: Path) -> None:
    shown = run_process(tmp_path, "dataset", "show", "-", stdin=f"{POST_9[:100]}\r\n{POST_9[100:]}\n")
    assert shown.rows["Network Name"] == "GL-S20-new001"


def test_check_accepts_the_reported_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    checked = run(capsys, "dataset", "check", POST_9, "--strict", "--json")
    assert (checked.code, checked.document) == (
        0,
        {"verdict": "accepted", "rule": None, "expected": "", "came": "", "offset": None, "findings": []},
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (POST_9[:-2], "truncated-value"),
        (POST_9 + "0e", "truncated-header"),
        (POST_9 + "0305616761696e", "duplicate-tlv"),
        ("", "empty"),
        (POST_9[:-1], "not-hex"),
        ("GL-S20", "not-hex"),
    ],
)
def test_check_names_the_rule_and_exits_1(capsys: pytest.CaptureFixture[str], text: str, rule: str) -> None:
    checked = run(capsys, "dataset", "check", text)
    assert checked.code == 1
    assert checked.rows["verdict"] == "refused"
    assert checked.rows["rule"] == rule
    assert checked.rows["expected"]
    assert checked.rows["came"]
    assert checked.err == ""


def test_strict_findings_are_warnings_and_with_strict_refusals(capsys: pytest.CaptureFixture[str]) -> None:
    without_timestamp = POST_9[20:]
    lenient = run(capsys, "dataset", "check", without_timestamp)
    assert lenient.code == 0
    assert "warning: missing-tlv" in lenient.out
    strict = run(capsys, "dataset", "check", without_timestamp, "--strict")
    assert strict.code == 1
    assert strict.rows["rule"] == "missing-tlv"
    assert "warning" not in strict.out


def test_check_pending_wants_a_pending_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    made = run(capsys, "dataset", "new", "--seed", "1", "--pending-timestamp", "5", "--delay-timer-ms", "30000").out
    assert run(capsys, "dataset", "check", made, "--strict", "--pending").code == 0
    assert run(capsys, "dataset", "check", made, "--strict").rows["rule"] == "pending-only"


def test_new_prints_hex_alone_and_its_dataset_is_strictly_valid(capsys: pytest.CaptureFixture[str]) -> None:
    made = run(capsys, "dataset", "new", "--name", "Café", "--channel", "25")
    dataset = Dataset.from_hex(made.out)
    assert made.out == f"{dataset.hex()}\n"
    assert strict_findings(dataset.encode()) == ()
    assert dataset.network_name == "Café"


def test_new_draws_the_same_from_one_seed_and_anew_without(capsys: pytest.CaptureFixture[str]) -> None:
    seeded = {run(capsys, "dataset", "new", "--seed", "9").out for _ in range(2)}
    drawn = {run(capsys, "dataset", "new").out for _ in range(2)}
    assert (len(seeded), len(drawn)) == (1, 2)


def test_new_derives_the_pskc_from_a_passphrase(capsys: pytest.CaptureFixture[str]) -> None:
    # Known answer of the Thread specification, also in OpenThread's own tests.
    made = run(
        capsys, "dataset", "new", "--name", "Test Network", "--ext-pan-id", "0001020304050607",
        "--passphrase", "12SECRETPASSWORD34",
    )  # fmt: skip
    assert Dataset.from_hex(made.out).pskc == bytes.fromhex("c3f59368445a1b6106be420a706d4cc9")
    assert (
        derive_pskc("12SECRETPASSWORD34", "Test Network", bytes(range(8))).hex() == "c3f59368445a1b6106be420a706d4cc9"
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--channel", "99"),
        ("--channel", "x"),
        ("--pan-id", "0x12345"),
        ("--name", "a name of more than sixteen bytes"),
        ("--network-key", "00"),
        ("--mesh-local-prefix", "2001:db8::/64"),
    ],
)
def test_new_refuses_a_bad_value_as_wrong_usage(capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    made = run(capsys, "dataset", "new", option, value)
    assert made.code == 2
    assert made.out == ""
    assert made.err.startswith("pairlab: ")
    assert made.err.count("\n") == 1


def test_a_bad_key_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "4094dce45388fd3d3426e992cbf0697"
    assert secret not in run(capsys, "dataset", "new", "--network-key", secret).err

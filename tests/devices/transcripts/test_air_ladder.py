"""The ladder of a pairing and a data path: what each frame of the air says, with services by their names."""

import pytest

from devices.decode.air_summary import air_summary
from devices.transcripts.ladder import ladder
from devices.transcripts.rungs import Cast
from devices.transcripts.show import record_document
from tests.support.nan_capture import captures
from tests.support.nan_transcript import RecordedHome


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """The ladder of bootstrapping, pairing, NIK exchange and a data path."""
    home = RecordedHome().bootstrap().open()
    return list(ladder(home.records, Cast.of(home.records)))


EXPECTED = [
    "subscribe _camera._udp",
    "publish _camera._udp 11 methods in answer",
    "bootstrapping _camera._udp: request PIN keypad",
    "bootstrapping _camera._udp: response, come back after 1024 TU",
    "bootstrapping _camera._udp: request PIN keypad, with the cookie",
    "bootstrapping _camera._udp: response, accepted PIN display",
    "PASN 1 (SAE, group 19)",
    "PASN 2 (SAE, group 19)",
    "PASN 3 (SAE)",
    "NIK follow-up _camera._udp",
    "NIK follow-up _camera._udp",
    "NDP request, M1",
    "NDP response, M2",
    "NDP confirm, M3",
    "NDP key installment, M4",
]


def test_frames_read_as_a_story(lines: list[str]) -> None:
    frames = [line for line in lines if "●" in line]
    assert [line.split("  ")[-1].strip() for line in frames] == EXPECTED


def test_arrows_point_from_sender_to_receiver(lines: list[str]) -> None:
    first, second = (next(line for line in lines if f"PASN {number}" in line) for number in (1, 2))
    assert lines[0].split()[1:] == ["camera", "phone"]
    assert "◀───────●" in first
    assert "●───────▶" in second


def test_events_stand_between_the_frames(lines: list[str]) -> None:
    story = [line for line in lines if "PASN 3" in line or "PairingCompleted" in line or "NIK" in line]
    assert "PASN 3" in story[0]
    assert sum("PairingCompleted" in line for line in story) == 2


def test_documents_name_a_service_by_its_id() -> None:
    records = RecordedHome().records
    summaries = [document["summary"] for record in records if "summary" in (document := record_document(record))]
    assert summaries[0].startswith("subscribe ")
    assert len(summaries[0].split()[1]) == 12


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("pairing_rejected_01", "auth2", "PASN 2 refuses, status 1 (unspecified failure)"),
        ("opportunistic_256_01", "auth1", "PASN 1 (opportunistic, group 20)"),
        ("verification_password_128_01", "auth1", "PASN 1 (cached key, group 19)"),
        ("ndp_rejected_01", "ndp_response", "NDP response, rejected: NDP rejected"),
        ("ndp_terminate_128_01", "ndp_termination", "NDP termination, reason unspecified"),
        ("ndp_group_keys_128_01", "ndp_confirm", "NDP confirm, M3, with group keys"),
        ("ndp_open_01", "ndp_request", "NDP request"),
        ("bootstrap_rejected_01", "bootstrap_response_rejected", "rejected: pairing bootstrapping rejected"),
    ],
)
def test_recorded_frames_say_what_they_are(name: str, kind: str, said: str) -> None:
    frame = next(each.octets for each in captures()[name].frames if each.kind == kind)
    assert said.lower() in air_summary(frame).lower()


def test_encrypted_and_foreign_frames_are_named_for_what_they_are() -> None:
    recorded = captures()["password_protected_128_01"].document["frames"]
    sealed = next(bytes.fromhex(each["protected_hex"]) for each in recorded if "protected_hex" in each)
    assert air_summary(sealed) == "protected, packet number 1"
    assert air_summary(b"\x08\x00" + bytes(30)) == "air 32 bytes"
    publish = next(each.octets for each in captures()["opportunistic_128_01"].frames if each.kind == "publish")
    assert air_summary(publish[:-1]).startswith("malformed frame of ")

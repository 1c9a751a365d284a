"""Reasons that are no mistake of a peer's arithmetic: other secrets, faults, lies, choices; what stays unexplained."""

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.events import CredentialRefused
from devices.explain.finding import Finding, Outcome, explain_all, explainers
from devices.explain.story import Story
from devices.explain.text import lines, verdict
from devices.transcripts.reader import Happened, Header, read_transcript
from pairing.engine import Event, FrameIgnored
from pairing.nan.device_settings import NanLies
from pairing.nan.pairing_rules import PairingLies
from pairing.pasn.settings import PasnLies, SharedPassword
from pairing.sae.hash_to_element import PasswordToken, derive_password_token
from pairing.thread.meshcop_events import DatasetSetRefused
from pairing.thread.network_events import PetitionRejected
from tests.support.nan_air import Fate
from tests.support.nan_transcript import RecordedHome, data_path_number, is_pasn, transcript_of
from tests.support.pasn_pair import PHRASE, SSID, Pair


def told(transcript: bytes, password: str = "") -> list[Finding]:
    story = Story(read_transcript(BytesIO(transcript)), password)
    return [each for each in explain_all(story) if each.is_failure]


def of(home: RecordedHome) -> list[Finding]:
    return told(home.transcript)


# Other secrets


def wrong_camera(token: PasswordToken) -> bytes:
    """The phone is right, the camera has this token; the transcript has both sides' values."""
    pair = Pair()
    pair.camera_credential = SharedPassword(token)
    pair.run()
    return transcript_of(pair.sent, {"phone": pair.phone_events, "camera": pair.camera_events})


class LowerFirst(PasswordToken):
    """Orders the addresses of PWE the wrong way round."""

    def multiplier(self, one: bytes, other: bytes) -> tuple[bytes, int]:
        from pairing.crypto.kdf import hmac_digest

        value = hmac_digest(self.curve.hash, bytes(32), min(one, other) + max(one, other))
        return value, int.from_bytes(value, "big") % (self.curve.q - 1) + 1


def test_pwe_of_the_addresses_in_the_wrong_order_is_named() -> None:
    right = derive_password_token(19, SSID, PHRASE.encode())
    (phone, _) = told(wrong_camera(LowerFirst(right.curve, right.pt, right.steps)))
    assert (phone.outcome, phone.because) == (Outcome.MISTAKE, "PWE from the lower address before the higher")
    assert phone.failed == "SAE Confirm in PASN frame 2"


@pytest.mark.parametrize(
    ("ssid", "name"),
    [
        (bytes.fromhex("516f9a010000"), "the SSID for PT is six octets"),
        (b"516f9a010000", "the SSID for PT is in small letters"),
        (b"51:6F:9A:01:00:00", "the SSID for PT has separators"),
    ],
)
def test_the_ssid_for_pt_is_told_by_both_sides_values_and_the_password(ssid: bytes, name: str) -> None:
    transcript = wrong_camera(derive_password_token(19, ssid, PHRASE.encode()))
    phone = told(transcript, PHRASE)[0]
    assert phone.outcome is Outcome.MISTAKE
    assert name in phone.because
    assert phone.because.endswith("at camera")
    without = told(transcript)[0]
    assert without.because == "the two have other passwords, or another SSID: sae.pwd_seed differs"


def test_a_line_end_in_the_password_is_told() -> None:
    phone = told(wrong_camera(derive_password_token(19, SSID, f"{PHRASE}\n".encode())), PHRASE)[0]
    assert phone.because == "the password has a line end after it, at camera"


def test_another_password_is_told_where_both_sides_are_recorded() -> None:
    home = RecordedHome(typed="271828").pair()
    findings = of(home)
    assert all(each.is_explained for each in findings)
    phone = next(each for each in findings if each.event["actor"] == "phone")
    assert phone.because == "the two have other passwords, or another SSID: sae.pwd_seed differs"
    assert any(
        each.because == "phone has another password than the given one" for each in told(home.transcript, "314159")
    )


def test_another_password_stays_unexplained_without_secrets() -> None:
    findings = of(RecordedHome(typed="271828", secrets=False).pair())
    phone = next(each for each in findings if each.event["actor"] == "phone")
    assert phone.outcome is Outcome.UNKNOWN
    assert "--secrets" in phone.hint


def test_other_passphrases_of_a_data_path_are_told() -> None:
    from pairing.nan.attributes import CipherSuiteInfo

    session: dict[str, Any] = {"cipher_suites": CipherSuiteInfo.of(5, 1)}
    home = RecordedHome(camera_session=session, publishing={"passphrase": "one passphrase"})
    findings = of(home.open(passphrase="another passphrase", suite=1))
    assert {each.event["actor"] for each in findings} == {"phone", "camera"}
    camera = next(each for each in findings if each.event["actor"] == "camera")
    assert camera.failed == "ND-PMKID in M1"
    assert camera.expected != camera.came


# The home's own doing


def changing(frame: bytes) -> Fate | None:
    return Fate(((0, frame[:-1] + bytes((frame[-1] ^ 0x40,))),)) if is_pasn(frame, 2) else None


def losing(frame: bytes) -> Fate | None:
    return Fate(()) if is_pasn(frame, 2) else None


def test_a_fault_that_changed_the_frame_is_the_reason() -> None:
    findings = of(RecordedHome(fates=changing).pair())
    assert findings
    assert all(each.is_explained for each in findings)
    first = findings[0]
    assert first.outcome is Outcome.FAULT
    assert first.because.startswith("a fault changed the frame on its way: ")
    assert first.because.endswith(f"at offset {len(first.frame.payload) - 1}" if first.frame else "")


def test_a_fault_that_lost_the_frames_is_the_reason_for_silence() -> None:
    findings = of(RecordedHome(fates=losing).pair())
    assert {each.outcome for each in findings} == {Outcome.FAULT}
    assert all("PASN 2 (SAE, group 19)" in each.because for each in findings)


def test_a_lie_is_the_reason() -> None:
    home = RecordedHome()
    home.camera.device.tell_lies(NanLies(pairing=PairingLies(pasn=PasnLies(wrong_mic=True))))
    findings = of(home.pair())
    assert findings
    assert all(each.because == "camera was told to lie: wrong-mic in frame 2" for each in findings)


# Choices


def test_a_refusal_of_the_owner_is_a_choice_on_one_side_and_its_consequence_on_the_other() -> None:
    home = RecordedHome()
    home.people.accepts = False
    home.pair().rest(30)
    findings = of(home)
    assert findings
    by_actor = {each.event["actor"]: each for each in findings}
    assert by_actor["camera"].outcome is Outcome.CHOICE
    assert all(each.is_explained for each in findings)


def test_a_removed_pairing_explains_a_verification_that_finds_none() -> None:
    home = RecordedHome().pair()
    camera = home.camera.device
    home.wire.do(home.camera, camera.forget(home.wire.now))
    findings = of(home.verify())
    by_actor = {each.event["actor"]: each for each in findings}
    assert by_actor["camera"].outcome is Outcome.CONSEQUENCE
    assert "has removed the pairing" in by_actor["camera"].because
    assert by_actor["phone"].is_explained


def test_a_story_without_failure_has_no_finding() -> None:
    home = RecordedHome().bootstrap().open()
    assert of(home) == []
    assert verdict([]) == "no failure in this transcript"


# Frames that were ignored


def test_lengths_of_attributes_in_the_wrong_byte_order_are_named() -> None:
    def turned(home: RecordedHome, frame: bytes) -> bytes:
        if frame[10] != 2 or is_pasn(frame, 1) or is_pasn(frame, 3) or data_path_number(frame):
            return frame
        body, at = bytearray(frame[30:]), 0
        while at < len(body):
            length = int.from_bytes(body[at + 1 : at + 3], "little")
            body[at + 1], body[at + 2] = body[at + 2], body[at + 1]
            at += 3 + length
        return frame[:30] + bytes(body)

    findings = of(RecordedHome(turned))
    assert [(each.outcome, each.because) for each in findings] == [
        (Outcome.MISTAKE, "the lengths of the attributes are big endian")
    ]


def test_a_malformed_frame_without_a_known_mistake_stays_unexplained() -> None:
    findings = of(RecordedHome(lambda home, frame: frame[:-1] if frame[10] == 2 else frame))
    assert [each.outcome for each in findings] == [Outcome.UNKNOWN]
    assert "does not parse" in findings[0].because


def test_frames_that_are_ignored_as_the_standard_says_are_no_failures() -> None:
    ignored = FrameIgnored(peer="06:00:00:00:00:02", reason="dialog token 3, expected 4", protocol="nan-bootstrapping")
    transcript = transcript_of([], {"phone": [ignored]})
    (finding,) = explain_all(Story(read_transcript(BytesIO(transcript))))
    assert finding.outcome is Outcome.IGNORED
    assert not finding.is_failure


# Thread


def refused(**changes: str) -> CredentialRefused:
    made = {
        "platform": "ios-26",
        "border_agent": "9483c451dc3e",
        "rule": "border-agent-id-length",
        "expected": "Apple wants the 8 bytes of `xa`",
        "came": "6 bytes, looks like a 48-bit MAC",
        "symptom": "NSCocoaErrorDomain 4099",
        "hint": "read `xa` in the TXT record",
    }
    return CredentialRefused(**{**made, **changes})


@pytest.mark.parametrize(
    ("event", "outcome", "because"),
    [
        (refused(), Outcome.MISTAKE, "border agent id length: what was given looks like a 48-bit MAC"),
        (
            refused(rule="xa-mismatch", came="`xa` 00 of 'x' on that network; the id given is the extended PAN ID"),
            Outcome.MISTAKE,
            "xa mismatch: what was given is the extended PAN ID",
        ),
        (refused(rule="consent-denied", came="the user said no"), Outcome.CHOICE, "consent denied: the user said no"),
        (
            DatasetSetRefused(
                request="MGMT_ACTIVE_SET",
                rule="active-timestamp",
                expected="newer than 5",
                came="5",
            ),
            Outcome.MISTAKE,
            "active timestamp: came 5",
        ),
        (
            PetitionRejected(commissioner_id="mine", holder="other", reason=""),
            Outcome.CHOICE,
            "'other' is the active Commissioner",
        ),
    ],
)
def test_verdicts_of_thread_are_explained_by_their_rule(event: Event, outcome: Outcome, because: str) -> None:
    (finding,) = told(transcript_of([], {"phone": [event]}))
    assert (finding.outcome, finding.because) == (outcome, because)


def test_a_credential_verdict_says_what_the_app_sees_and_where_the_right_value_is() -> None:
    (finding,) = told(transcript_of([], {"phone": [refused()]}))
    text = "\n".join(lines(finding))
    assert "Apple wants the 8 bytes of `xa`" in text
    assert "read `xa` in the TXT record; the app sees: NSCocoaErrorDomain 4099" in text


# Whatever stands in an event

MEMBERS = st.dictionaries(
    st.sampled_from(
        (
            *("peer", "cause", "rule", "came", "expected", "mistake", "error", "frame", "reason", "protocol"),
            *("intermediates", "service", "suite", "hint", "holder", "platform", "symptom", "keys"),
        )
    ),
    st.one_of(
        st.text(max_size=12),
        st.integers(),
        st.none(),
        st.binary(max_size=4),
        st.lists(st.integers(), max_size=2),
        st.dictionaries(st.text(max_size=4), st.text(max_size=6), max_size=2),
    ),
)


@given(event_type=st.sampled_from(sorted(explainers())), members=MEMBERS)
@settings(max_examples=300, deadline=None)
def test_events_of_any_content_are_explained_or_left(event_type: str, members: dict[str, Any]) -> None:
    event = {**members, "id": 1, "type": event_type, "actor": "phone"}
    story = Story([Header(bytes(32), 1), Happened(5, event)])
    for finding in explain_all(story):
        assert "event 1" in next(lines(finding))
        finding.as_json()


def test_every_explainer_is_of_an_event_that_exists() -> None:
    import pairing.dtls.events  # noqa: F401  # its events are known once it is imported
    from devices.events import vocabulary

    assert set(explainers()) <= set(vocabulary())

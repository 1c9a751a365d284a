"""Transcripts of commissioning with one planted mistake: PSKc, steering data, timestamps."""

from collections.abc import Iterable
from io import BytesIO

import pytest

from devices.event_log import StampedEvent
from devices.explain.finding import Finding, Outcome, explain_all
from devices.explain.story import Story
from devices.transcripts.reader import read_transcript
from devices.transcripts.recorder import MemoryTranscript, Recorder
from pairing.engine import Event
from pairing.errors import PeerRejectedError
from pairing.thread.dataset import Dataset
from pairing.thread.fields import Timestamp
from pairing.thread.management import LeaderState, ManagementPolicy, SetRequest, judge_set
from pairing.thread.meshcop_events import CommissionerDatasetChanged, DatasetSetRefused, JoiningFailed
from pairing.thread.network_events import DatasetChanged
from pairing.thread.pskc import derive_pskc
from pairing.thread.steering import SteeringData
from pairing.thread.tlvs import MeshCopTlvType, Tlv
from tests.support.dtls_pair import AGENT, PHONE, DtlsPair
from tests.support.thread_network import DATASET

PASSPHRASE, NAME, EXT_PAN_ID = "a good passphrase", "Home", bytes(range(8))
PSKC = derive_pskc(PASSPHRASE, NAME, EXT_PAN_ID)
EUI64 = bytes.fromhex("18b4300000000002")
RULED_OUT = PeerRejectedError("joiner: Home: its steering data rule it out")


def told(*events: tuple[str, Event], password: str = "", frames: Iterable[tuple[str, bytes]] = ()) -> list[Finding]:
    """The failures in a transcript of these events."""
    sink = MemoryTranscript()
    recorder = Recorder(sink, now=lambda: 0, seed=0, secrets=True)
    for who, datagram in frames:
        source, to = (PHONE, AGENT) if who == "client" else (AGENT, PHONE)
        recorder.sent("lan", "phone" if who == "client" else "router", source, to, datagram)
    for number, (actor, event) in enumerate(events, start=1):
        recorder.happened(StampedEvent(number, 0, actor, "lan", event))
    story = Story(read_transcript(BytesIO(sink.getvalue())), password)
    return [each for each in explain_all(story) if each.is_failure]


@pytest.mark.parametrize(
    ("wrong", "mistake"),
    [
        (derive_pskc(PASSPHRASE, NAME, EXT_PAN_ID[::-1]), "extended PAN ID in little endian"),
        (derive_pskc(PASSPHRASE, "home", EXT_PAN_ID), "network name in small letters"),
        (PASSPHRASE.encode()[:16], "the passphrase itself"),
    ],
    ids=["extended PAN ID", "network name", "passphrase"],
)
def test_pskc_is_explained_once_the_passphrase_is_told(wrong: bytes, mistake: str) -> None:
    pair = DtlsPair(passwords=(wrong, PSKC)).connect()
    changed = DatasetChanged(kind="active", cause="operator", network_name=NAME, ext_pan_id=EXT_PAN_ID)
    events = [("router", changed), *(("phone", each) for each in pair.client_events)]
    findings = told(*events, *(("router", each) for each in pair.server_events), password=PASSPHRASE, frames=pair.sent)
    assert [each.outcome for each in findings] == [Outcome.MISTAKE] * 2
    assert all(f"PSKc of phone: {mistake}" in each.because for each in findings)


@pytest.mark.parametrize(
    ("steering", "outcome", "because"),
    [
        (SteeringData.of_joiners([EUI64]).filter, Outcome.MISTAKE, "of the EUI-64 itself"),
        (bytes(16), Outcome.CHOICE, "nobody may join"),
        (SteeringData.of_joiners([b"stranger"]).filter, Outcome.UNKNOWN, ""),
    ],
    ids=["EUI-64", "nobody", "stranger"],
)
def test_joiner_that_is_ruled_out_is_explained_by_the_last_steering_data(
    steering: bytes, outcome: Outcome, because: str
) -> None:
    (finding,) = told(
        ("router", CommissionerDatasetChanged(steering_data=b"\xff")),
        ("router", CommissionerDatasetChanged(steering_data=steering)),
        ("lamp", JoiningFailed(joiner=EUI64.hex(), error=RULED_OUT)),
    )
    assert (finding.outcome, because in finding.because) == (outcome, True)
    assert ("nobody has enabled this joiner" in finding.hint) is (outcome is Outcome.UNKNOWN)


NOW = Timestamp(1_700_000_000)


@pytest.mark.parametrize(
    ("timestamp", "mistake"),
    [
        (Timestamp.from_int(NOW.seconds + 60), "seconds in the lowest bits"),
        (NOW, "the very one in force"),
        (Timestamp.from_int(int.from_bytes(Timestamp(NOW.seconds + 60).encode()[::-1], "big")), "little endian"),
    ],
)
def test_timestamp_that_is_refused_is_explained(timestamp: Timestamp, mistake: str) -> None:
    session = Tlv(MeshCopTlvType.COMMISSIONER_SESSION_ID, b"\0\1")
    payload = Dataset.of(active_timestamp=timestamp, network_name="New").with_tlvs([session]).encode()
    current = DATASET.with_tlvs(Dataset.of(active_timestamp=NOW))
    verdict = judge_set(SetRequest.ACTIVE_SET, payload, LeaderState(current, None, 1), ManagementPolicy())
    assert verdict.refusal is not None
    refused = DatasetSetRefused(request="MGMT_ACTIVE_SET", **verdict.refusal._asdict())
    (finding,) = told(("router", refused))
    assert finding.outcome is Outcome.MISTAKE
    assert mistake in finding.because

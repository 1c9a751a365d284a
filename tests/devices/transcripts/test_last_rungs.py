"""The ladder below a failure: the last records, and not the talk of strangers on the network."""

from devices.media.lan import GATEWAY
from devices.transcripts.recorder import MemoryTranscript, Recorder
from devices.transcripts.show import last_rungs
from pairing.dnssd.messages import Message, RecordType
from pairing.dnssd.messages import Record as DnsRecord
from pairing.dnssd.names import type_name
from pairing.engine import Endpoint
from tests.support.transcripts import BR, GROUP, PHONE, QUERY

RESPONSE = 0x8400
ANSWER = Message(flags=RESPONSE, answers=(DnsRecord(type_name("_meshcop._udp"), RecordType.TXT, 120, b"\0"),)).encode()


def test_of_what_strangers_say_by_multicast_dns_only_questions_are_shown() -> None:
    transcript = MemoryTranscript()
    recorder = Recorder(transcript, now=lambda: 5, seed=1)
    for sender, payload in ((GATEWAY, QUERY), (GATEWAY, ANSWER), ("br", ANSWER), (GATEWAY, b"no message")):
        recorder.sent("lan", sender, BR if sender == "br" else PHONE, GROUP, payload)
    recorder.sent("lan", GATEWAY, Endpoint("192.0.2.9", 40_000), Endpoint("192.0.2.1", 49_191), b"of a socket")
    _, *rungs = last_rungs(transcript.getvalue(), 10)
    assert len(rungs) == 3
    for rung, said in zip(rungs, ("query PTR _meshcop._udp", "answer 1 record", "11 bytes"), strict=True):
        assert said in rung

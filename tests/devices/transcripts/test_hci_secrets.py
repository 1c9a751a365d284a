"""Keys between a Bluetooth host and its controller: left out where nobody asked for secrets, and nothing else."""

import pytest
from bumble import hci, smp
from hypothesis import given
from hypothesis import strategies as st

from devices.transcripts.hci_secrets import without_keys
from devices.transcripts.reader import Frame
from devices.transcripts.recorder import MemoryTranscript, Recorder
from tests.support.transcripts import records_of

KEY, OTHER = bytes(range(1, 17)), bytes(range(101, 117))
PEER = hci.Address("C3:D8:88:CA:9F:44")


def _over_the_link(pdu: smp.SMP_Command) -> bytes:
    octets = bytes(pdu)
    l2cap = len(octets).to_bytes(2, "little") + b"\x06\x00" + octets
    return b"\x02\x01\x20" + len(l2cap).to_bytes(2, "little") + l2cap


HOLDING = [
    bytes(
        hci.HCI_LE_Enable_Encryption_Command(
            connection_handle=1, random_number=bytes(8), encrypted_diversifier=7, long_term_key=KEY
        )
    ),
    bytes(hci.HCI_LE_Long_Term_Key_Request_Reply_Command(connection_handle=1, long_term_key=KEY)),
    bytes(
        hci.HCI_LE_Add_Device_To_Resolving_List_Command(
            peer_identity_address_type=0, peer_identity_address=PEER, peer_irk=KEY, local_irk=KEY
        )
    ),
    _over_the_link(smp.SMP_Encryption_Information_Command(long_term_key=KEY)),
    _over_the_link(smp.SMP_Identity_Information_Command(identity_resolving_key=KEY)),
    _over_the_link(smp.SMP_Signing_Information_Command(signature_key=KEY)),
]


@pytest.mark.parametrize("packet", HOLDING, ids=range(len(HOLDING)))
def test_a_key_is_zeros_and_the_rest_stays(packet: bytes) -> None:
    assert KEY in packet
    assert without_keys(packet) == packet.replace(KEY, bytes(16))


@given(
    st.binary(max_size=60) | st.sampled_from(HOLDING).flatmap(lambda each: st.integers(0, 40).map(lambda n: each[:n]))
)
def test_any_packet_keeps_its_length(packet: bytes) -> None:
    assert len(without_keys(packet)) == len(packet)


@pytest.mark.parametrize("secrets", [False, True])
def test_a_transcript_holds_keys_only_where_they_are_wanted(secrets: bool) -> None:
    transcript = MemoryTranscript()
    recorder = Recorder(transcript, now=lambda: 0, seed=1, secrets=secrets)
    for packet in HOLDING:
        recorder.sent("ble", "lock", b"host", b"controller", packet)
    payloads = [each.payload for each in records_of(transcript.getvalue()) if isinstance(each, Frame)]
    assert payloads == [each if secrets else without_keys(each) for each in HOLDING]

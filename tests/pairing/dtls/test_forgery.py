"""Hostile records in epoch 0, where nothing proves who sent them: what they must not be able to do."""

from dataclasses import replace

import pytest

from pairing.dtls.events import HandshakeCompleted
from pairing.dtls.key_schedule import KEY_BLOCK_LENGTH, DtlsKeys
from pairing.dtls.messages import decode_fragments
from pairing.dtls.mistakes import known_record_mistake
from pairing.dtls.record import LARGEST_SEQUENCE, ContentType, DtlsRecord, ReplayWindow, decode_records
from pairing.dtls.settings import DtlsSettings
from pairing.ecjpake.exchange import EcJpakeRole
from pairing.engine import FrameIgnored
from tests.support.dtls_pair import AGENT, PHONE, DtlsPair


def forged(number: int) -> bytes:
    """An alert in clear that means nothing, with this sequence number."""
    return DtlsRecord(ContentType.ALERT, 0xFEFD, 0, number, b"\0").encode()


def test_a_forged_record_with_a_high_number_does_not_shut_out_the_peer() -> None:
    pair = DtlsPair()
    pair.start()
    pair.take(pair.client.receive(forged(LARGEST_SEQUENCE), AGENT, pair.now), "client")
    for _ in range(3):
        pair.step()
    pair.take(pair.server.receive(forged(LARGEST_SEQUENCE), PHONE, pair.now), "server")
    pair.flush()
    assert pair.events("client", HandshakeCompleted)
    assert pair.events("server", HandshakeCompleted)


def test_a_window_in_clear_takes_old_numbers_and_still_drops_a_repetition() -> None:
    window = ReplayWindow(is_in_clear=True)
    for number in (1, 2**40, 0):
        assert window.is_fresh(number)
        window.mark(number)
    assert not window.is_fresh(2**40)
    proved = ReplayWindow()
    proved.mark(2**40)
    assert not proved.is_fresh(1)


@pytest.mark.parametrize(("sequence", "message_seq"), [(LARGEST_SEQUENCE, 0), (LARGEST_SEQUENCE - 3, 0), (0, 0xFFFF)])
@pytest.mark.parametrize("has_cookies", [True, False])
def test_a_hello_after_which_numbers_would_overflow_is_ignored(
    sequence: int, message_seq: int, has_cookies: bool
) -> None:
    pair = DtlsPair(server=DtlsSettings(cookie_exchange=has_cookies))
    pair.start()
    (record,) = decode_records(pair.wire.pop(0)[1])
    (fragment,) = decode_fragments(record.fragment)
    bent = replace(record, sequence=sequence, fragment=replace(fragment, message_seq=message_seq).encode())
    (ignored,) = pair.server.receive(bent.encode(), PHONE, 0)
    assert isinstance(ignored, FrameIgnored)
    assert "no numbers left" in ignored.reason
    assert not pair.server.connections


@pytest.mark.parametrize("length", [0, 7, 8, 15, 16])
def test_a_record_that_is_too_short_for_its_tag_is_no_known_mistake(length: int) -> None:
    keys = DtlsKeys(bytes(32), bytes(32), bytes(48), bytes(KEY_BLOCK_LENGTH))
    record = DtlsRecord(ContentType.HANDSHAKE, 0xFEFD, 1, 0, bytes(length))
    found = known_record_mistake(record, keys, bytes(32), bytes(32), is_extended=True, writer=EcJpakeRole.SERVER)
    assert found is None

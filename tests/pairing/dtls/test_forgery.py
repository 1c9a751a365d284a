"""Forged records in epoch 0, where nothing proves who sent them: what they must not be able to do."""

from pairing.dtls.events import HandshakeCompleted
from pairing.dtls.record import LARGEST_SEQUENCE, ContentType, DtlsRecord, ReplayWindow
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

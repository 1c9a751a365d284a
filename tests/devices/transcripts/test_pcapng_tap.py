"""A live capture with its secrets: keys stand before what they open, and nothing is held back for long."""

from collections.abc import Callable

from devices.event_log import StampedEvent
from devices.transcripts.pcapng import PcapngWriter
from devices.transcripts.pcapng_tap import PcapngTap
from pairing.dtls.events import HandshakeFailed
from pairing.engine import Endpoint
from pairing.errors import PairingError
from tests.support.dtls_pair import AGENT, PHONE, DtlsPair

BLOCKS = {0x0A0D0D0A: "section", 1: "interface", 6: "packet", 10: "keys"}


class Capture:
    """What a tap has written, as block names; its clock stands still until a timer is fired."""

    def __init__(self, *, secrets: bool = True) -> None:
        self.octets = b""
        self.timers: list[Callable[[], None]] = []
        self.tap = PcapngTap(PcapngWriter(self._write), lambda: 0, later=self._later, secrets=secrets)

    def _write(self, data: bytes) -> None:
        self.octets += data

    def _later(self, _: int, action: Callable[[], None]) -> None:
        self.timers.append(action)

    @property
    def blocks(self) -> list[str]:
        found, at = [], 0
        while at < len(self.octets):
            found.append(BLOCKS[int.from_bytes(self.octets[at : at + 4], "little")])
            at += int.from_bytes(self.octets[at + 4 : at + 8], "little")
        return [each for each in found if each in ("packet", "keys")]


def _handshake(capture: Capture) -> DtlsPair:
    def tapped(_: int, sent: tuple[str, bytes]) -> list[tuple[str, bytes]]:
        ends = (PHONE, AGENT) if sent[0] == "client" else (AGENT, PHONE)
        capture.tap.sent("lan", sent[0], *ends, sent[1])
        return [sent]

    return DtlsPair(bend=tapped).connect()


def _tell(capture: Capture, pair: DtlsPair) -> None:
    for event in (*pair.client_events, *pair.server_events):
        capture.tap.happened(StampedEvent(1, 0, "br", "lan", event))


def test_keys_stand_before_the_first_sealed_frame() -> None:
    capture = Capture()
    pair = _handshake(capture)
    before = len(capture.blocks)
    _tell(capture, pair)
    assert capture.blocks.count("keys") == 1
    assert capture.blocks.index("keys") == before
    assert capture.blocks[before + 1 :].count("packet") >= 2
    capture.tap.sent("lan", "br", Endpoint("192.0.2.1", 9), Endpoint("192.0.2.2", 9), b"later")
    assert capture.blocks[-1] == "packet"


def test_without_secrets_nothing_is_held_back_and_no_key_is_written() -> None:
    capture = Capture(secrets=False)
    pair = _handshake(capture)
    before = len(capture.blocks)
    _tell(capture, pair)
    assert (capture.timers, len(capture.blocks)) == ([], before)


def test_a_handshake_that_fails_or_never_ends_lets_its_frames_go() -> None:
    for ends in ("fails", "is silent", "is closed"):
        capture = Capture()
        _handshake(capture)
        before = len(capture.blocks)
        if ends == "fails":
            failed = HandshakeFailed(peer="phone", address=PHONE, error=PairingError("no"))
            capture.tap.happened(StampedEvent(1, 0, "br", "lan", failed))
        elif ends == "is silent":
            (timer,) = capture.timers
            timer()
        else:
            capture.tap.flush()
        assert len(capture.blocks) > before, ends
        assert "keys" not in capture.blocks

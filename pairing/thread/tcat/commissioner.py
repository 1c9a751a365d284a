"""The commissioner's end of the channel: commands one after the other, each with its answer, and proofs both ways.

TLS is outside, as with the device: the host gives and takes plaintext. Source: Thread 1.4 specification, chapter 13.
"""

from collections import deque
from dataclasses import dataclass, field

from pairing.crypto.kdf import is_equal
from pairing.engine import SECOND, Address, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit, peer_name
from pairing.thread.tcat.events import TcatAnswerReceived, TcatCommandTimedOut, TcatDeviceProved
from pairing.thread.tcat.proofs import CHALLENGE_LENGTH, tcat_proof
from pairing.thread.tcat.tlvs import TcatStatus, TcatStream, TcatTlv, TcatType, status_name, tcat_type_name

ANSWER_TIMEOUT: Micros = 5 * SECOND
_PROOFS = {
    "pskd": TcatType.PRESENT_PSKD_PROOF,
    "pskc": TcatType.PRESENT_PSKC_PROOF,
    "install-code": TcatType.PRESENT_INSTALL_CODE_PROOF,
}


@dataclass(frozen=True, slots=True)
class _Step:
    """One command to come; `key` is what its proof is made with, `challenge` what the device must prove against."""

    type: TcatType
    value: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    challenge: bytes = b""


class TcatCommissioner:
    """One connection with a device whose public key TLS has shown."""

    def __init__(self, device: Address, device_spki: bytes, entropy: Entropy) -> None:
        self._device = device
        self._spki = device_spki
        self._entropy = entropy
        self._stream = TcatStream()
        self._steps: deque[_Step] = deque()
        self._waiting: _Step | None = None
        self._deadline: Micros | None = None
        self._challenge = b""

    @property
    def deadline(self) -> Micros | None:
        """When the answer that is waited for is overdue."""
        return self._deadline

    @property
    def is_busy(self) -> bool:
        """Whether an answer is waited for."""
        return self._waiting is not None

    # Intents

    def command(self, command: TcatType, now: Micros, value: bytes = b"") -> Outputs:
        """Any command, after those before it."""
        return self._enqueue(now, _Step(command, value))

    def commission(self, dataset: bytes, now: Micros, *, start: bool = True) -> Outputs:
        """Set the Active Dataset, and start Thread."""
        steps = [_Step(TcatType.SET_ACTIVE_DATASET, dataset)]
        return self._enqueue(now, *steps, *([_Step(TcatType.THREAD_START)] if start else ()))

    def prove(self, kind: str, key: bytes, now: Micros) -> Outputs:
        """Prove to know the `pskd`, `pskc` or `install-code`: asks for a challenge, and answers it."""
        return self._enqueue(now, _Step(TcatType.GET_CHALLENGE), _Step(_PROOFS[kind], key=key))

    def check_pskd(self, pskd: str, now: Micros) -> Outputs:
        """Have the device prove that it knows its PSKd; the answer is `TcatDeviceProved`."""
        challenge = self._entropy(CHALLENGE_LENGTH)
        step = _Step(TcatType.REQUEST_PSKD_PROOF, challenge, key=pskd.encode(), challenge=challenge)
        return self._enqueue(now, step)

    def disconnect(self, now: Micros) -> Outputs:
        """Take leave; the device answers by closing. What was still to come is dropped."""
        self._steps.clear()
        self._waiting = self._deadline = None
        return [Transmit(TcatTlv(TcatType.DISCONNECT).encode(), self._device)]

    # The channel

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """Plaintext of the channel."""
        outputs: list[Output] = []
        for tlv in self._stream.feed(payload):
            outputs += self._take(tlv, now)
        return outputs

    def handle_timeout(self, now: Micros) -> Outputs:
        """An answer may be overdue; what follows it is given up."""
        if self._deadline is None or now < self._deadline or self._waiting is None:
            return ()
        late = TcatCommandTimedOut(command=tcat_type_name(self._waiting.type), peer=peer_name(self._device))
        self._steps.clear()
        self._waiting = self._deadline = None
        return [late]

    def _take(self, tlv: TcatTlv, now: Micros) -> list[Output]:
        step, peer = self._waiting, peer_name(self._device)
        if (
            step is None
            or tlv.type not in (TcatType.STATUS, TcatType.PAYLOAD)
            or (tlv.type == TcatType.STATUS and len(tlv.value) != 1)
        ):
            return [FrameIgnored(reason=f"no answer is {tlv!r}", protocol="tcat", peer=peer)]
        self._waiting = self._deadline = None
        is_payload = tlv.type == TcatType.PAYLOAD
        status = "payload" if is_payload else status_name(tlv.value[0])
        outputs: list[Output] = [
            TcatAnswerReceived(
                command=tcat_type_name(step.type), status=status, payload=tlv.value if is_payload else b"", peer=peer
            )
        ]
        if step.type is TcatType.GET_CHALLENGE and is_payload:
            self._challenge = tlv.value
        if step.challenge:
            proved = is_payload and is_equal(tlv.value, tcat_proof(step.key, step.challenge, self._spki))
            outputs.append(TcatDeviceProved(proved=proved, peer=peer))
        if not is_payload and tlv.value[0] != TcatStatus.SUCCESS:
            self._steps.clear()
        return [*outputs, *self._go_on(now)]

    def _enqueue(self, now: Micros, *steps: _Step) -> Outputs:
        self._steps.extend(steps)
        return () if self._waiting is not None else self._go_on(now)

    def _go_on(self, now: Micros) -> Outputs:
        if not self._steps:
            return ()
        step = self._waiting = self._steps.popleft()
        self._deadline = now + ANSWER_TIMEOUT
        value = step.value
        if step.type in _PROOFS.values() and step.key:
            value = tcat_proof(step.key, self._challenge, self._spki)
        return [Transmit(TcatTlv(step.type, value).encode(), self._device)]

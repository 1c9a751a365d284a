"""A viewer with a radio of its own that pairs a camera over an air that loses frames. The other camera is an impostor.

Without a PIN. What is not acknowledged is sent again; who is paired knows the other's identity key, and it knows ours.
"""

import time
from collections.abc import Iterator

from home import accessory, chosen_bug
from radio import Attempt, Radio, octets

SCENARIO = "clients/lost-and-doubled-frames.toml"
BUGS = {
    "gives-up-after-one-lost-frame": "expect PairingRequested (camera)",
    "begins-anew-without-an-acknowledgement": "expect PairingCompleted (camera)",
    "does-without-the-identity": "expect PairingCompleted (camera)",
    "sends-its-identity-in-the-open": "expect PairingCompleted (camera)",
    "accepts-a-wrong-mic": "never PairingCompleted (impostor)",
}
OUR_NIK = bytes(range(16))
TRIES = 4
REPORT_SECONDS = 0.2
ANSWER_SECONDS = 0.4
KEYS_SECONDS = 0.03
"""What the camera needs to take its keys into use."""


class Viewer:
    """One pairing after the other, by the same radio."""

    def __init__(self, bug: str | None) -> None:
        self.bug = bug
        self.radio = Radio("02:00:00:00:00:0b")

    def tries(self) -> Iterator[int]:
        """How often something is said."""
        return iter(range(1 if self.bug == "gives-up-after-one-lost-frame" else TRIES))

    def deliver(self, frame: bytes) -> bool:
        """Whether a frame was acknowledged, if need be at another try."""
        return any(self.radio.deliver(frame, REPORT_SECONDS) for _ in self.tries())

    def pair(self, peer: bytes) -> bool:
        """Whether the camera is paired."""
        attempt = Attempt(self.radio, peer)
        if not self.deliver(attempt.frame_1()):
            return False
        answer = self.radio.hear(ANSWER_SECONDS, attempt.frame_2)
        if answer is None or not attempt.take_keys(answer, is_mic_checked=self.bug != "accepts-a-wrong-mic"):
            return False
        if self.bug == "begins-anew-without-an-acknowledgement":
            for _ in range(TRIES):
                if self.radio.deliver(attempt.frame_3(), REPORT_SECONDS):
                    return self.exchange_identities(attempt)
                attempt = Attempt(self.radio, peer)
                self.deliver(attempt.frame_1())
                answer = self.radio.hear(ANSWER_SECONDS, attempt.frame_2)
                if answer is None or not attempt.take_keys(answer):
                    return False
            return False
        return self.deliver(attempt.frame_3()) and self.exchange_identities(attempt)

    def exchange_identities(self, attempt: Attempt) -> bool:
        """Tell our NIK until the camera has told its own."""
        is_sealed = self.bug != "sends-its-identity-in-the-open"
        for _ in self.tries():
            time.sleep(KEYS_SECONDS)
            self.radio.send(attempt.identity(OUR_NIK, is_sealed=is_sealed))
            if self.bug == "does-without-the-identity":
                return True
            if self.radio.hear(ANSWER_SECONDS, attempt.peer_identity) is not None:
                return True
        return False


def main() -> None:
    """Pair the impostor, which cannot be, and the camera."""
    viewer = Viewer(chosen_bug(BUGS))
    for camera in ("impostor", "camera"):
        is_paired = viewer.pair(octets(accessory(camera)["facts"]["nmi"]))
        print(f"{camera}: {'paired' if is_paired else 'not paired'}")


if __name__ == "__main__":
    main()

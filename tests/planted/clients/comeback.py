"""A viewer with a radio of its own that pairs two cameras; either tells it to come back later, the first one always.

Without a PIN. A comeback is no refusal: the camera's owner has not decided yet.
"""

import time

from home import accessory, chosen_bug
from radio import Attempt, Radio, octets

from pairing.ieee80211.frames import StatusCode

SCENARIO = "clients/comeback-twice-and-for-ever.toml"
BUGS = {
    "takes-it-for-a-no": "expect PasnPostponed x2 (always)",
    "forgets-the-cookie": "expect PairingCompleted (twice)",
    "comes-back-at-once": "never PasnPostponed (always)",
    "comes-back-for-ever": "expect PasnPostponed x2 (twice)",
}
COMEBACKS = 2
TU_SECONDS = 0.001024
ANSWER_SECONDS = 1.0


def pair(radio: Radio, peer: bytes, bug: str | None) -> bool:
    """Whether the camera is paired."""
    attempt = Attempt(radio, peer)
    cookie: bytes | None = None
    for _ in range(1_000 if bug == "comes-back-for-ever" else COMEBACKS + 1):
        radio.send(attempt.frame_1(cookie))
        answer = radio.hear(ANSWER_SECONDS, attempt.frame_2)
        if answer is None:
            continue
        if answer.status != StatusCode.REJECTED_TEMPORARILY or bug == "takes-it-for-a-no":
            return finish(attempt) if attempt.take_keys(answer) else False
        comeback = answer.parameters.comeback
        if comeback is None:
            return False
        if bug != "comes-back-at-once":
            time.sleep((comeback.after_tu or 0) * TU_SECONDS)
        cookie = None if bug == "forgets-the-cookie" else comeback.cookie
    return False


def finish(attempt: Attempt) -> bool:
    """Prove our keys, and exchange identities."""
    attempt.radio.send(attempt.frame_3())
    nik = bytes(range(16))
    for _ in range(3):
        time.sleep(0.03)
        attempt.radio.send(attempt.identity(nik))
        if attempt.radio.hear(ANSWER_SECONDS, attempt.peer_identity) is not None:
            return True
    return False


def main() -> None:
    """Pair the one camera, then the other."""
    bug = chosen_bug(BUGS)
    radio = Radio("02:00:00:00:00:0b")
    for camera in ("always", "twice"):
        is_paired = pair(radio, octets(accessory(camera)["facts"]["nmi"]), bug)
        print(f"{camera}: {'paired' if is_paired else 'not paired; try again later'}")


if __name__ == "__main__":
    main()

"""An administrator's service: the Commissioner of a network for as long as it runs, which renames it first thing.

Somebody else may take over under the same id, and nobody says so: the next keep-alive is answered by State reject.
"""

import os

from home import accessory, chosen_bug
from meshcop import (
    ACCEPT,
    COMMISSIONER_ID,
    NETWORK_NAME,
    PREFIX,
    SESSION_ID,
    STATE,
    TIMESTAMP,
    Asker,
    Link,
    read_tlvs,
    tlvs,
)

from pairing.coap.message import CoapCode, CoapMessage, CoapType, path_options

SCENARIO = "clients/commissioner-keeps-its-place.toml"
BUGS = {
    "uses-the-replaced-session-id": "expect PetitionAccepted x3 (br)",
    "does-not-look-at-state": "expect PetitionAccepted x3 (br)",
    "takes-the-acknowledgement-for-the-answer": "expect DatasetChanged (br)",
    "gives-every-request-one-message-id": "expect PetitionAccepted x3 (br)",
    "treats-a-send-as-delivery": "expect DatasetChanged (br)",
    "keeps-the-old-timestamp": "expect DatasetChanged (br)",
    "leaves-the-session-id-out": "expect DatasetChanged (br)",
    "keeps-alive-once": "expect RequestReceived (br)",
}
PSKC = bytes.fromhex("0ddba11c0ffee0ddba11c0ffee0ddba1")
PATIENCE_SECONDS = 4.0
KEEP_ALIVE_SECONDS = 0.4
"""A service waits 40 s; the clock of this network leaps."""
NAME = b"Renamed"


class OneNumber(Asker):
    """Numbers are for those who have more than one."""

    def number(self) -> int:
        return 1


class ByNumber(Asker):
    """An answer is what has the request's message ID."""

    def is_answer(self, request: CoapMessage, message: CoapMessage) -> bool:
        return message.message_id == request.message_id


class SendsOnce(Asker):
    """What was sent into the mesh has got there."""

    def ask_leader(self, prefix: bytes, path: str, payload: bytes) -> bytes | None:
        message = CoapMessage(CoapType.NON, CoapCode.POST, self.number(), os.urandom(8), path_options(path), payload)
        self.to_mesh(prefix, message)
        return tlvs({STATE: ACCEPT})


ASKERS: dict[str | None, type[Asker]] = {
    "gives-every-request-one-message-id": OneNumber,
    "takes-the-acknowledgement-for-the-answer": ByNumber,
    "treats-a-send-as-delivery": SendsOnce,
}


class Service:
    """The connection, and the session that the last petition brought."""

    def __init__(self, link: Link, bug: str | None) -> None:
        self.link, self.bug = link, bug
        self.asker = ASKERS.get(bug, Asker)(link)
        self.session = bytes(2)

    def petition(self) -> None:
        """Become the Commissioner, or be it again."""
        answer = read_tlvs(self.asker.ask("c/cp", tlvs({COMMISSIONER_ID: b"administrator"})) or b"")
        self.session = answer.get(SESSION_ID, self.session)

    def keep_alive(self) -> bool:
        """Whether we are still the Commissioner."""
        answer = self.asker.ask("c/ca", tlvs({STATE: ACCEPT, SESSION_ID: self.session}))
        if answer is None or self.bug == "does-not-look-at-state":
            return True
        return read_tlvs(answer).get(STATE) == ACCEPT

    def rename(self, dataset: dict[int, bytes]) -> bool:
        """Whether the Leader has taken the new name."""
        step = 0 if self.bug == "keeps-the-old-timestamp" else 1 << 16
        newer = (int.from_bytes(dataset[TIMESTAMP], "big") + step).to_bytes(8, "big")
        change = {TIMESTAMP: newer, NETWORK_NAME: NAME}
        if self.bug != "leaves-the-session-id-out":
            change |= {SESSION_ID: self.session}
        answer = self.asker.ask_leader(dataset[PREFIX], "c/as", tlvs(change))
        return answer is not None and read_tlvs(answer).get(STATE) == ACCEPT


def main() -> None:
    """Petition, rename, and stay until the router lets go."""
    bug = chosen_bug(BUGS)
    link = Link(accessory("br")["endpoints"]["meshcop"], PSKC)
    if not link.connect(PATIENCE_SECONDS):
        return
    service = Service(link, bug)
    dataset = read_tlvs(service.asker.ask("c/ag") or b"")
    service.petition()
    if not service.keep_alive() and bug != "uses-the-replaced-session-id":
        service.petition()
    print("renamed" if service.rename(dataset) else "not renamed")
    while link.is_up:
        if bug != "keeps-alive-once":
            service.keep_alive()
        while link.is_up and link.hear(KEEP_ALIVE_SECONDS) is not None:
            pass
    link.close()


if __name__ == "__main__":
    main()

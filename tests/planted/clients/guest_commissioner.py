"""A technician's tool: becomes the Commissioner by a sharing code, and renames the network.

The code's own time may end in the middle; then the owner shows another, and everything is begun again.
"""

from home import chosen_bug, control, wait_for
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

SCENARIO = "clients/code-expires-under-a-commissioner.toml"
BUGS = {
    "keeps-the-expired-code": "expect EphemeralKeyConnected (br)",
    "keeps-the-old-port": "expect EphemeralKeyConnected (br)",
    "does-not-hear-the-end": "expect EphemeralKeyConnected (br)",
    "keeps-the-old-session-id": "expect DatasetChanged (br)",
}
PATIENCE_SECONDS = 2.5
NAME = b"Guest House"


class Commissioner:
    """A connection that a code opened, and the session that a petition brought."""

    def __init__(self, place: str, code: str) -> None:
        self.place, self.code = place, code
        self.link = Link(place, code.encode())
        self.asker = Asker(self.link)
        self.session = b""
        if self.link.connect(PATIENCE_SECONDS):
            answer = read_tlvs(self.asker.ask("c/cp", tlvs({COMMISSIONER_ID: b"technician"})) or b"")
            self.session = answer.get(SESSION_ID, b"")

    def rename(self) -> bool:
        """Whether the network has the new name."""
        dataset = read_tlvs(self.asker.ask("c/ag") or b"")
        if not dataset or not self.session:
            return False
        newer = (int.from_bytes(dataset[TIMESTAMP], "big") + (1 << 16)).to_bytes(8, "big")
        change = tlvs({SESSION_ID: self.session, TIMESTAMP: newer, NETWORK_NAME: NAME})
        answer = self.asker.ask_leader(dataset[PREFIX], "c/as", change) or b""
        return read_tlvs(answer).get(STATE) == ACCEPT


def code_after(event: int) -> tuple[str, str, int]:
    """Where the router listens, the next code that it shows, and the event's number."""
    shown = wait_for("CodeShown", actor="br", after=event)
    router = control("GET", "accessories/br?secrets=true")
    return router["endpoints"]["ephemeral-key"], router["shows"]["code"], shown["id"]


def main() -> None:
    """With the first code, look around until the owner's time is over; with the second, do it."""
    bug = chosen_bug(BUGS)
    place, code, shown = code_after(0)
    first = Commissioner(place, code)
    while first.link.is_up:
        first.link.hear(5)
    if bug == "does-not-hear-the-end":
        first.asker.ask("c/ag")
        return
    place, code, _ = code_after(shown)
    if bug == "keeps-the-expired-code":
        code = first.code
    if bug == "keeps-the-old-port":
        place = first.place
    second = Commissioner(place, code)
    if bug == "keeps-the-old-session-id":
        second.session = first.session
    second.rename()
    second.link.close()


if __name__ == "__main__":
    main()

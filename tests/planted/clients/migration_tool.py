"""An administrator's tool: a network is to move in ten minutes, by a pending dataset; this brings it forward.

The way to the router is slow: answers come when a request has been sent twice, and so they come twice as well.
"""

from home import accessory, chosen_bug, wait_for
from meshcop import COMMISSIONER_ID, PREFIX, SESSION_ID, STATE, Asker, Link, read_tlvs, tlvs

from pairing.coap.message import CoapMessage

SCENARIO = "clients/answers-come-late-and-twice.toml"
BUGS = {
    "takes-an-answer-to-another-token": "expect DatasetChanged (br)",
    "asks-the-border-agent-instead-of-the-leader": "expect DatasetChanged (br)",
    "keeps-the-pending-timestamp": "expect DatasetChanged (br)",
}
PSKC = bytes.fromhex("badc0de0badc0de0badc0de0badc0de0")
PATIENCE_SECONDS = 3.0
PENDING_TIMESTAMP, DELAY = 51, 52
SOONER_MS = 300_000


class AnyAnswer(Asker):
    """There is one request at a time, so what comes is its answer."""

    def is_answer(self, request: CoapMessage, message: CoapMessage) -> bool:
        return message.is_response


def bring_forward(asker: Asker, bug: str | None) -> str:
    """What has become of it, in words."""
    session = read_tlvs(asker.ask("c/cp", tlvs({COMMISSIONER_ID: b"migration"})) or b"").get(SESSION_ID)
    if session is None:
        return "somebody else is the commissioner"
    active = read_tlvs(asker.ask("c/ag") or b"")
    pending = read_tlvs(asker.ask("c/pg") or b"")
    if PENDING_TIMESTAMP not in pending or PREFIX not in active:
        return "nothing is pending"
    step = 0 if bug == "keeps-the-pending-timestamp" else 1 << 16
    newer = (int.from_bytes(pending[PENDING_TIMESTAMP], "big") + step).to_bytes(8, "big")
    change = tlvs(
        {SESSION_ID: session, **pending, PENDING_TIMESTAMP: newer, DELAY: SOONER_MS.to_bytes(4, "big")},
    )
    if bug == "asks-the-border-agent-instead-of-the-leader":
        answer = asker.ask("c/ps", change)
    else:
        answer = asker.ask_leader(active[PREFIX], "c/ps", change)
    return f"answered {read_tlvs(answer or b'').get(STATE, b'').hex()}"


def main() -> None:
    """Wait for the plan, and hurry it."""
    bug = chosen_bug(BUGS)
    wait_for("DatasetChanged", actor="br", kind="pending")
    link = Link(accessory("br")["endpoints"]["meshcop"], PSKC)
    if link.connect(PATIENCE_SECONDS):
        asker = AnyAnswer(link) if bug == "takes-an-answer-to-another-token" else Asker(link)
        print(bring_forward(asker, bug))
    link.close()


if __name__ == "__main__":
    main()

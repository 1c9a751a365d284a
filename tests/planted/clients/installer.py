"""An installer's tool: becomes the Commissioner at each border router of a building that knows the PSKc, in turn."""

from home import accessory, chosen_bug
from meshcop import ACCEPT, COMMISSIONER_ID, STATE, Asker, Link, read_tlvs, tlvs

from pairing.dtls.client import DtlsClient
from pairing.dtls.messages import HandshakeMessage
from pairing.dtls.states import DtlsInput
from pairing.engine import Micros, Output

SCENARIO = "clients/routers-that-shake-hands-badly.toml"
BUGS = {
    "retries-without-the-new-cookie": "expect PetitionAccepted (forgetful)",
    "sends-each-flight-once": "expect PetitionAccepted (patchy)",
    "believes-any-finished": "never PetitionAccepted (impostor)",
}
PSKC = bytes.fromhex("5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e")
PATIENCE_SECONDS = 1.5


class OneCookie(DtlsClient):
    """Has answered a HelloVerifyRequest, and is not prepared for another."""

    def _on_hello_verify_request(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        if self._offered.cookie:
            return self._repeat("asked again", now)
        return super()._on_hello_verify_request(message, now)


class SendsOnce(DtlsClient):
    """Takes what it has sent for delivered."""

    @property
    def deadline(self) -> None:
        """Nothing is ever due."""
        return


class Trusting(DtlsClient):
    """Does not look at what is in the other side's Finished."""

    def _on_finished(self, message: HandshakeMessage, now: Micros) -> list[Output]:
        self._move(DtlsInput.FINISHED)
        return self._completed(now)


CLIENTS: dict[str | None, type[DtlsClient]] = {
    "retries-without-the-new-cookie": OneCookie,
    "sends-each-flight-once": SendsOnce,
    "believes-any-finished": Trusting,
}


def petition(place: str, dtls: type[DtlsClient]) -> bool:
    """Whether we are its Commissioner, for a moment."""
    link = Link(place, PSKC, dtls)
    if not link.connect(PATIENCE_SECONDS):
        link.close()
        return False
    answer = Asker(link).ask("c/cp", tlvs({COMMISSIONER_ID: b"installer"}))
    link.close()
    return answer is not None and read_tlvs(answer).get(STATE) == ACCEPT


def main() -> None:
    """All of them."""
    dtls = CLIENTS.get(chosen_bug(BUGS), DtlsClient)
    for each in ("impostor", "patchy", "forgetful"):
        outcome = "commissioner" if petition(accessory(each)["endpoints"]["meshcop"], dtls) else "no connection"
        print(f"{each}: {outcome}")


if __name__ == "__main__":
    main()

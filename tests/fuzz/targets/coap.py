"""CoAP messages, and two endpoints of `pairing.coap` at every point of their exchanges."""

from collections.abc import Callable, Iterator

from pairing.coap.endpoint import CoapEndpoint
from pairing.coap.events import CoapRequestFailed, CoapRequestReceived, CoapResponseReceived
from pairing.coap.message import CoapCode, CoapMessage, CoapType, path_options
from pairing.engine import SECOND, Endpoint, Event, Micros, Outputs
from pairing.errors import LocalProtocolError
from tests.fuzz.stage import Dialogue, Party, Stage, engine_target
from tests.fuzz.target import decoder
from tests.support.recorded_entropy import seeded

CLIENT_ADDRESS, SERVER_ADDRESS = Endpoint("192.0.2.1", 61631), Endpoint("192.0.2.2", 61631)
SEPARATELY = "c/cp"
"""This path is answered with a CON of its own."""
CLIENT, SERVER = 0, 1
FORGOTTEN = 300 * SECOND
"""After so long a message ID may come again: a forged one takes its place until then."""


def allowed(intent: Callable[[], Outputs]) -> Outputs:
    """What an intent puts out; nothing if the state no longer allows it."""
    try:
        return intent()
    except LocalProtocolError:
        return ()


def begin() -> Stage:
    """A client asks twice and pings; the server answers at once, or acknowledges and answers later."""
    client, server = CoapEndpoint(seeded("client")), CoapEndpoint(seeded("server"))

    def answer(event: Event, now: Micros) -> Outputs:
        if not isinstance(event, CoapRequestReceived):
            return ()
        if event.message.path != SEPARATELY:
            return allowed(lambda: server.respond(event, CoapCode.CHANGED, b"\x10\x01\x01", now))
        acknowledged = allowed(lambda: server.acknowledge(event, now))
        kind = CoapType.CON
        return [*acknowledged, *allowed(lambda: server.respond(event, CoapCode.CHANGED, b"", now, kind=kind))]

    stage = Stage(Party(client, CLIENT_ADDRESS), Party(server, SERVER_ADDRESS, owner=answer))
    ask(stage, "c/ag", SEPARATELY)
    stage.do(stage.parties[CLIENT], client.ping(SERVER_ADDRESS, 0))
    return stage


def ask(stage: Stage, *paths: str) -> None:
    """The client sends requests."""
    party = stage.parties[CLIENT]
    assert isinstance(party.engine, CoapEndpoint)
    for path in paths:
        _, outputs = party.engine.request(SERVER_ADDRESS, CoapCode.POST, path, b"\x0d\x01\x00", stage.now)
        stage.do(party, outputs)


def check(stage: Stage, was_ignored: bool) -> None:
    """Every request has an answer or the reason why not, and the next one has an answer.

    Even what is ignored leaves a trace: its message ID, which the real peer's next message may bear.
    """
    client = stage.parties[CLIENT]
    ends = [event for event in client.events if isinstance(event, CoapResponseReceived | CoapRequestFailed)]
    assert len(ends) == 2
    client.events.clear()
    stage.now += FORGOTTEN
    stage.horizon += 2 * FORGOTTEN
    ask(stage, "c/ca")
    stage.play()
    assert client.has(CoapResponseReceived)


def messages() -> Iterator[bytes]:
    """A message of every type, with the extended forms of options."""
    for kind in CoapType:
        yield CoapMessage(kind, CoapCode.POST, 7, b"\x01\x02", path_options("c/" + "x" * 300), b"\x0d\x00").encode()
    yield CoapMessage(CoapType.RST, CoapCode.EMPTY, 7).encode()


TARGETS = (
    decoder("coap-message", CoapMessage.decode, messages, encode=CoapMessage.encode, is_exact=False),
    engine_target(Dialogue("coap", begin, check, seeds=messages)),
)

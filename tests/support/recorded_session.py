"""A Commissioner's session with a Border Agent, recorded as a transcript: petition, datasets, a relayed request."""

from devices.event_log import StampedEvent
from devices.transcripts.recorder import MemoryTranscript, Recorder
from pairing.dtls.settings import DtlsSettings
from pairing.engine import SECOND, Endpoint, Event
from pairing.thread.border_agent import BorderAgentSettings
from pairing.thread.commissioner import Commissioner, CommissionerSettings
from tests.support.meshcop import PSKC
from tests.support.meshcop_wire import PORTS, Client, Wire
from tests.support.recorded_entropy import seeded


class RecordedWire(Wire):
    """Records every datagram as it is sent."""

    def __init__(self, recorder: Recorder, settings: BorderAgentSettings) -> None:
        self.recorder = recorder
        super().__init__(settings=settings)

    def _fly(self, client: Client, to_agent: bool, payload: bytes) -> None:
        agent, phone = PORTS[client.link], client.address
        source, to, sender = (phone, agent, "phone") if to_agent else (agent, phone, "border-router")
        self.recorder.sent("lan", sender, _plain(source), _plain(to), payload)
        super()._fly(client, to_agent, payload)


def _plain(address: Endpoint) -> Endpoint:
    return address._replace(link="")


def recorded_session(*, secrets: bool, password: bytes = PSKC, dtls: DtlsSettings | None = None) -> bytes:
    """The transcript of a whole session, or of its failure."""
    sink = MemoryTranscript()
    recorder = Recorder(sink, now=lambda: wire.now, seed=0, secrets=secrets)
    wire = RecordedWire(recorder, BorderAgentSettings(dtls=dtls or DtlsSettings()))
    engine = Commissioner(PORTS[""], password, seeded("phone"), CommissionerSettings(dtls=dtls or DtlsSettings()))
    client = wire.add(engine)
    wire.do(client, engine.start)
    wire.run(SECOND)
    for intent in (engine.petition, engine.get_active, engine.get_commissioner, engine.resign, engine.close):
        if engine.state.is_final:
            break
        wire.do(client, intent)
        wire.run(SECOND)
    for number, (actor, event) in enumerate(_stories(wire, client), start=1):
        recorder.happened(StampedEvent(number, wire.now, actor, "lan", event))
    return sink.getvalue()


def _stories(wire: Wire, client: Client) -> list[tuple[str, Event]]:
    return [*(("phone", each) for each in client.events), *(("border-router", each) for each in wire.events)]

"""The Border Agent of a border router: Commissioners over DTLS, joiners behind the relay, credential sharing by code.

One engine for up to three UDP ports; `Endpoint.link` of sender and recipient says which: `MAIN_LINK`, `EPHEMERAL_LINK`
or `JOINER_LINK`; `MESH_LINK` are the other routers of the mesh. It answers out of the `Network` model, whose timers are
not its own: whoever changes the model, or lets its time pass, calls `follow` afterwards. What a connection may ask is
`border_agent_resources`' business.
Thread specification, chapter 8.4.3, and Thread 1.4 for sharing; times and silences as measured from OpenThread.
Order of draws: cookie secrets of a server when its port opens, the draws of each connection, at its end of handshake
two CoAP message IDs, and two octets of token for each message of our own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pairing.coap.events import CoapEvent, CoapRequestReceived
from pairing.dtls.cookies import CookieSource
from pairing.dtls.events import (
    ApplicationDataReceived,
    ConnectionClosed,
    HandshakeCompleted,
    HandshakeFailed,
    HandshakeStarted,
)
from pairing.dtls.server import DtlsServer
from pairing.dtls.settings import BORDER_AGENT_POLICY, EPHEMERAL_KEY_POLICY, ConnectionPolicy, DtlsSettings
from pairing.engine import Address, Endpoint, Entropy, FrameIgnored, Micros, Output, Outputs, Transmit, peer_name
from pairing.errors import DecodeError, EncodeError
from pairing.thread.border_agent_resources import BorderAgentResources, Handled, ResourceLies, Session
from pairing.thread.border_agent_states import SessionInput
from pairing.thread.commissioning import CommissionerState
from pairing.thread.dataset import Dataset
from pairing.thread.ephemeral_key import ActiveKey, EphemeralKeyState
from pairing.thread.fields import Timestamp
from pairing.thread.joiner_router import RELAY, JoinerRouter
from pairing.thread.joiner_sessions import JoinerServerSettings, JoinerSessions
from pairing.thread.joiner_table import JoinerId
from pairing.thread.leader import DEVICE, Leader, LeaderLies
from pairing.thread.management import ManagementPolicy
from pairing.thread.mesh_relay import MESH_LINK, MeshRelay
from pairing.thread.meshcop_events import LieTold
from pairing.thread.network import Network
from pairing.thread.network_events import DatasetChanged, JoinerConnected, JoinerFinalized, PetitionAccepted
from pairing.thread.relay import RelayMessage

MAIN_LINK = ""
EPHEMERAL_LINK = "ephemeral-key"
JOINER_LINK = "joiner"


@dataclass(frozen=True, slots=True, kw_only=True)
class BorderAgentSettings:
    """How the Border Agent behaves. The defaults are OpenThread's, but for sets without a session id."""

    dtls: DtlsSettings = field(default_factory=DtlsSettings)
    policy: ConnectionPolicy = BORDER_AGENT_POLICY
    ephemeral_key_policy: ConnectionPolicy = EPHEMERAL_KEY_POLICY
    management: ManagementPolicy = field(default_factory=ManagementPolicy)
    joiners: JoinerServerSettings = field(default_factory=JoinerServerSettings)
    """How the built-in commissioner serves joiners."""
    leader_lies: LeaderLies = field(default_factory=LeaderLies)
    lies: ResourceLies = field(default_factory=ResourceLies)


@dataclass(slots=True)
class _Port:
    """One DTLS port, and what its password comes from."""

    server: DtlsServer
    opened_for: ActiveKey | bytes = field(repr=False)


class BorderAgent:
    """The engine. `network` is read and driven; REST may drive it as well."""

    def __init__(
        self,
        network: Network,
        entropy: Entropy,
        settings: BorderAgentSettings | None = None,
        cookies: CookieSource | None = None,
    ) -> None:
        self.network = network
        self.settings = settings or BorderAgentSettings()
        self.leader = Leader(network, self.settings.management, self.settings.leader_lies)
        self._entropy = entropy
        self._cookies = cookies
        self._resources = BorderAgentResources(self.leader, self.settings.lies)
        self._router = JoinerRouter(self.leader, entropy)
        self._mesh = MeshRelay(network)
        self._joiners = JoinerSessions(entropy, self.settings.joiners, cookies)
        self._ports: dict[str, _Port] = {}
        self._sessions: dict[Address, Session] = {}
        self._is_changed = False
        self._pskc = b""

    # The engine's face

    @property
    def deadline(self) -> Micros | None:
        """When a connection, the relay or the built-in commissioner wants to act."""
        waits = [port.server.deadline for port in self._ports.values()]
        waits += [session.deadline for session in self._sessions.values()]
        waits += [self._router.deadline, self._joiners.deadline]
        return min((at for at in waits if at is not None), default=None)

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The Commissioners' connections that are up, in the order they came."""
        return tuple(self._sessions.values())

    @property
    def joiner_router(self) -> JoinerRouter:
        """The Joiner Router that shares this node."""
        return self._router

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """A datagram has arrived on the port that the sender's `link` names."""
        outputs = [*self.follow(now)]
        link = sender.link if isinstance(sender, Endpoint) else MAIN_LINK
        if link == JOINER_LINK:
            outputs += self._on_router(self._router.receive(payload, sender, now), now)
        elif link == MESH_LINK:
            outputs += self._on_mesh(payload, sender, now)
        elif link in self._ports:
            outputs += self._on_dtls(link, self._ports[link].server.receive(payload, sender, now), now)
        else:
            outputs.append(_ignored(peer_name(sender), "nobody listens: detached, without PSKc, or no code is open"))
        return [*outputs, *self._notified(now)]

    def handle_timeout(self, now: Micros) -> Outputs:
        """Let each part act that is due."""
        outputs = [*self.follow(now)]
        for link, port in tuple(self._ports.items()):
            outputs += self._on_dtls(link, port.server.handle_timeout(now), now)
        for session in tuple(self._sessions.values()):
            if session.deadline <= now:
                outputs += self._on_session_timeout(session, now)
        outputs += self._on_router(self._router.handle_timeout(now), now)
        outputs += self._on_joiners(self._joiners.handle_timeout(now), now)
        return outputs

    def follow(self, now: Micros) -> Outputs:
        """The network model may have changed: open and close ports."""
        return [*self._follow_ports(now), *self._notified(now)]

    def close(self, now: Micros) -> Outputs:
        """The node goes down: every connection ends with close_notify."""
        return [output for link in tuple(self._ports) for output in self._close_port(link, now)]

    def relay(self, message: RelayMessage, now: Micros) -> Outputs:
        """A joiner's datagram from another Joiner Router of the mesh."""
        return self._on_router([Transmit(message.encode_received(), RELAY)], now)

    # Intents of tests and lies

    def change_settings(self, settings: BorderAgentSettings) -> None:
        """Behave otherwise from now on; connections that are up keep their DTLS as it is."""
        self.settings = settings
        self.leader.policy, self.leader.lies = settings.management, settings.leader_lies
        self._resources.lies, self._joiners.settings = settings.lies, settings.joiners
        for port in self._ports.values():
            port.server.change_settings(settings.dtls)

    def steal_session(self, now: Micros) -> Outputs:
        """Somebody else takes over from the active Commissioner, under its own id. It is not told."""
        active = self.network.commissioning.active
        if active is None:
            return ()
        return [LieTold(lie="steal-session"), *self.network.petition(active.commissioner_id, now)]

    def change_dataset(self, now: Micros) -> Outputs:
        """A Thread device changes the Active Dataset: its timestamp goes on by a second."""
        dataset = self.network.active_dataset
        if dataset is None:
            return ()
        old = dataset.active_timestamp or Timestamp(0)
        newer = Dataset.of(active_timestamp=old._replace(seconds=old.seconds + 1))
        outputs = self.network.adopt_active_dataset(dataset.with_tlvs(newer), now, cause=DEVICE)
        self._is_changed = True
        return [*outputs, *self.follow(now)]

    # Ports

    def _follow_ports(self, now: Micros) -> list[Output]:
        outputs: list[Output] = []
        wanted = self._wanted_ports()
        for link in [link for link in self._ports if link not in wanted]:
            outputs += self._close_port(link, now)
        for link, (opened_for, password) in wanted.items():
            port = self._ports.get(link)
            if port is None:
                self._ports[link] = self._open_port(link, opened_for, password)
            elif port.opened_for != opened_for:
                port.opened_for = opened_for
                port.server.change_password(password)
        return outputs

    def _wanted_ports(self) -> dict[str, tuple[ActiveKey | bytes, bytes]]:
        """Which ports should be open now, and with which password."""
        wanted: dict[str, tuple[ActiveKey | bytes, bytes]] = {}
        if not self.network.attached:
            return wanted
        dataset = self.network.active_dataset
        if dataset is None:
            self._pskc = b""
        elif dataset.pskc is not None:  # one that a dataset has lost stays in force, as in OpenThread's key manager
            self._pskc = dataset.pskc
        if any(self._pskc):  # zeros mean that commissioning is off
            wanted[MAIN_LINK] = (self._pskc, self._pskc)
        key = self.network.ephemeral_key.key
        if key is not None:
            wanted[EPHEMERAL_LINK] = (key, key.code.encode())
        return wanted

    def _open_port(self, link: str, opened_for: ActiveKey | bytes, password: bytes) -> _Port:
        policy = self.settings.ephemeral_key_policy if link == EPHEMERAL_LINK else self.settings.policy
        server = DtlsServer(password, self._entropy, self.settings.dtls, policy, self._cookies)
        return _Port(server, opened_for)

    def _close_port(self, link: str, now: Micros) -> list[Output]:
        port = self._ports.pop(link)
        return self._on_dtls(link, port.server.close_all(now), now)

    # Connections

    def _on_dtls(self, link: str, outputs: Outputs, now: Micros) -> list[Output]:
        done: list[Output] = []
        for output in outputs:
            match output:
                case ApplicationDataReceived():
                    done += self._on_data(output, now)
                case HandshakeStarted():
                    self._sessions.pop(output.address, None)  # a new connection replaces one from the same address
                    done.append(output)
                case HandshakeCompleted():
                    done += [output, *self._on_connected(link, output, now)]
                case HandshakeFailed():
                    done.append(output)
                    if link == EPHEMERAL_LINK:
                        done += self.network.ephemeral_key.attempt_failed(now)
                        done += self._follow_ports(now)
                case ConnectionClosed():
                    done += [output, *self._on_closed(link, output.address, now)]
                case _:
                    done.append(output)
        return done

    def _on_connected(self, link: str, event: HandshakeCompleted, now: Micros) -> Outputs:
        peer = event.peer or peer_name(event.address)
        self._sessions[event.address] = Session.open(event.address, peer, link, self.leader, self._entropy, now)
        key = self.network.ephemeral_key
        if link == EPHEMERAL_LINK and key.state is EphemeralKeyState.STARTED:
            return key.connect(peer, now)
        return ()

    def _on_closed(self, link: str, address: Address, now: Micros) -> Outputs:
        session = self._sessions.pop(address, None)
        if session is None:
            return ()
        session.move(SessionInput.DISCONNECTED)
        key = self.network.ephemeral_key
        if link != EPHEMERAL_LINK or key.state not in (EphemeralKeyState.CONNECTED, EphemeralKeyState.ACCEPTED):
            return ()
        ended = key.end_session(now)
        return [*ended, *self._follow_ports(now)]

    def _on_data(self, event: ApplicationDataReceived, now: Micros) -> list[Output]:
        session = self._sessions.get(event.address)
        if session is None:
            return []
        outputs: list[Output] = []
        for output in session.coap.receive(event.data, session.address, now):
            if isinstance(output, CoapRequestReceived):
                outputs += self._on_request(session, output, now)
            else:
                outputs += self._sent(session, [output], now)
        return outputs

    def _on_request(self, session: Session, request: CoapRequestReceived, now: Micros) -> list[Output]:
        handled = self._resources.handle(session, request, now)
        self._is_changed |= any(isinstance(each, DatasetChanged) and each.cause == DEVICE for each in handled.outputs)
        outputs = self._sent(session, handled.outputs, now)
        if session.link == EPHEMERAL_LINK and self._is_accepted(handled):
            outputs += self.network.ephemeral_key.accept(now)
        if handled.relayed is not None:
            outputs += self._relay_back(handled.relayed, now)
        if handled.dataset_was_read:
            outputs += [LieTold(lie="change-dataset", peer=session.peer), *self.change_dataset(now)]
        if handled.code_expires:
            outputs += self._expire_code(now)
        return [*outputs, *self.follow(now)]

    def _is_accepted(self, handled: Handled) -> bool:
        is_accepted = any(isinstance(each, PetitionAccepted) for each in handled.outputs)
        return is_accepted and self.network.ephemeral_key.state is EphemeralKeyState.CONNECTED

    def _expire_code(self, now: Micros) -> Outputs:
        """The ephemeral key's time is up before its time."""
        key = self.network.ephemeral_key
        return () if key.deadline is None else key.handle_timeout(key.deadline)

    def _sent(self, session: Session, outputs: Iterable[Output], now: Micros) -> list[Output]:
        """CoAP messages as records of the connection; how our own requests fared interests nobody."""
        done: list[Output] = []
        for output in outputs:
            if isinstance(output, Transmit):
                done += self._send(session, output.payload, now)
            elif not isinstance(output, CoapEvent):
                done.append(output)
        return done

    def _send(self, session: Session, message: bytes, now: Micros) -> Outputs:
        port = self._ports.get(session.link)
        if port is None or session.address not in port.server.connections:
            return ()
        try:
            return port.server.send(session.address, message, now)
        except EncodeError as error:  # a relayed datagram may be longer than the records that the peer asked for
            return [_ignored(session.peer, str(error))]

    def _on_session_timeout(self, session: Session, now: Micros) -> list[Output]:
        if session.ends_at <= now:
            port = self._ports.get(session.link)
            if port is not None and session.address in port.server.connections:
                return self._on_dtls(session.link, port.server.close(session.address, now), now)
            self._sessions.pop(session.address, None)
            return []
        outputs = self._sent(session, session.coap.handle_timeout(now), now)
        proxied = session.send("c/ur", session.proxy.handle_timeout(now), now)
        return [*outputs, *self._sent(session, proxied, now)]

    def _notified(self, now: Micros) -> list[Output]:
        """MGMT_DATASET_CHANGED, where a Thread device's set changed a dataset; of nothing else OpenThread tells."""
        if not self._is_changed:
            return []
        self._is_changed = False
        session = self._active_session
        if session is None:
            return []
        proxied = session.proxy.notify_dataset_changed(now)
        return self._sent(session, session.send("c/ur", proxied, now), now)

    @property
    def _active_session(self) -> Session | None:
        """The connection of the active Commissioner."""
        active = self.network.commissioning.active
        if active is None:
            return None
        sessions = (each for each in self._sessions.values() if each.is_commissioner)
        return next((each for each in sessions if each.session_id == active.session_id), None)

    # Joiners

    def _on_router(self, outputs: Outputs, now: Micros) -> list[Output]:
        """What the Joiner Router hands on goes to whoever commissions."""
        done: list[Output] = []
        for output in outputs:
            if not isinstance(output, Transmit) or output.to != RELAY:
                done.append(output)
                continue
            session, away = self._active_session, self._mesh.to_commissioner(output.payload)
            if away is not None:
                done.append(away)
            elif session is not None:
                sent = session.send("c/rx", [Transmit(output.payload, session.address)], now)
                done += self._sent(session, sent, now)
            elif self.network.commissioning.state is CommissionerState.ACTIVE:
                entries = self.network.commissioning.joiners
                done += self._on_joiners(self._joiners.receive(RelayMessage.decode(output.payload), entries, now), now)
            else:
                done.append(_ignored(RELAY, "a joiner's datagram, and no Commissioner is active"))
        return done

    def _relay_back(self, message: RelayMessage, now: Micros) -> list[Output]:
        """RLY_TX, at this Joiner Router or on its way to another."""
        away = self._mesh.to_joiner_router(message)
        return [away] if away is not None else self._on_router(self._router.relay(message, now), now)

    def _on_mesh(self, payload: bytes, sender: Address, now: Micros) -> list[Output]:
        """What another router of the mesh relays."""
        try:
            is_received, message = self._mesh.read(payload)
        except DecodeError as error:
            return [_ignored(peer_name(sender), str(error))]
        if is_received:
            return [*self.relay(message, now)]
        return self._on_router(self._router.relay(message, now), now)

    def _on_joiners(self, outputs: Outputs, now: Micros) -> list[Output]:
        """What the built-in commissioner says to joiners, and what becomes of its table."""
        done: list[Output] = []
        for output in outputs:
            match output:
                case Transmit():
                    done += self._relay_back(RelayMessage.decode(output.payload), now)
                case JoinerConnected():
                    done += self.network.commissioning.joiner_connected(JoinerId.parse(output.joiner), now)
                case JoinerFinalized():
                    joiner = JoinerId.parse(output.joiner)
                    done += self.network.commissioning.joiner_finalized(joiner, now, accepted=output.accepted)
                case _:
                    done.append(output)
        return done


def _ignored(peer: str, reason: str) -> FrameIgnored:
    return FrameIgnored(peer=peer, reason=reason, protocol="meshcop")

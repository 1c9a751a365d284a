"""A Thread device that is commissioned over Bluetooth LE: TCAT's agent beside the node that it sets up.

In real time the stream is TLS 1.2, over the home's Bluetooth and over UDP where that is wanted; in virtual time it is a
recorded plaintext channel. Commissioned and started, the device attaches to the home's Thread network. What is
simplified stands in specs/protocols/tcat.md. Thread 1.4 specification, chapter 13.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from devices.accessories.base import Lie
from devices.accessories.registry import accessory
from devices.accessories.tcat_identity import ShownIdentity, shown_identity
from devices.accessories.tcat_lies import TCAT_LIES, told_deviations, told_habits
from devices.accessories.tcat_radio import TcatRadio
from devices.accessories.tcat_server import TcatServer
from devices.accessories.tcat_settings import (
    TcatDeviceSettings,
    tcat_profile,
)
from devices.accessories.tcat_udp import TcatUdp
from devices.accessories.thread_device import ThreadDevice
from devices.accessories.thread_device_settings import JOINER_LIES
from devices.actor import Site, verb
from devices.errors import ActionRefusedError
from devices.spec import Duration, duration_us
from devices.transports.tcat_tls import KeyLog, SecureChannel
from pairing.engine import Event
from pairing.errors import LocalProtocolError
from pairing.thread.dataset import Dataset
from pairing.thread.meshcop_events import LieTold
from pairing.thread.node import Role
from pairing.thread.tcat.device import TcatAgent
from pairing.thread.tcat.diagnostics import LeaderView, NodeView
from pairing.thread.tcat.events import (
    TcatAdvertChanged,
    TcatAdvertStopped,
    TcatDatasetSet,
    TcatDecommissioned,
    TcatSessionClosed,
    TcatSessionOpened,
    TcatThreadStarted,
    TcatThreadStopped,
)
from pairing.thread.tcat.profile import TcatNode

_MEDIUM = "ble"
_MODE_BITS = {"rx_on_when_idle": 0x08, "secure_requests": 0x04, "full_thread_device": 0x02, "full_network_data": 0x01}


@accessory("tcat-device")
class TcatDevice(ThreadDevice):
    """Factory new and powered on, it advertises; whoever holds a commissioner's certificate may set it up."""

    settings_model = TcatDeviceSettings
    settings: TcatDeviceSettings
    lies: ClassVar[Mapping[str, type[Lie]]] = {**JOINER_LIES, **TCAT_LIES}

    def __init__(self, site: Site, actor_id: str, name: str, settings: TcatDeviceSettings) -> None:
        super().__init__(site, actor_id, name, settings)
        drawn = bytearray(self.chance.randbytes(6))
        drawn[0] |= 0xC0  # a static random address has its two highest bits set
        self.address = settings.address or drawn.hex(":").upper()
        self._server: TcatServer | None = None
        self._identity: ShownIdentity
        self._key_log: KeyLog | None = None
        self._radio: TcatRadio | None = None
        self._udp: TcatUdp | None = None
        self._commissioner_certificate: bytes | None = None
        self._is_syncing = False

    # What one can see

    @property
    def endpoints(self) -> Mapping[str, str]:
        """`ble`: its address; `tcat`: where it is reached over UDP."""
        found = {"ble": self.address} if self.settings.ble else {}
        if self._udp is not None:
            found["tcat"] = self._udp.at
        return found

    @property
    def shows(self) -> Mapping[str, str]:
        """Its label, with the install code where it has one."""
        code = self.settings.install_code
        return {**super().shows, **({} if code is None else {"install_code": code})}

    @property
    def facts(self) -> Mapping[str, Any]:
        """The node, and how TCAT stands; `tls` says how its stream is protected."""
        server = self._server
        identities = None if server is None else self._identity.identities
        return {
            **super().facts,
            "tcat": "disabled" if server is None else str(server.agent.state),
            "advert": None if server is None else server.agent.advert.hex(),
            "commissioner": None if server is None else server.peer,
            "tls": "1.2" if self.site.real else "simulated",
            "identities": None if identities is None else str(identities.folder),
        }

    # Power

    async def _start(self) -> None:
        await super()._start()
        self._key_log = KeyLog() if self.site.real else None
        identity = self._show()
        profile = tcat_profile(self.settings, identity.certificate, self.eui64, self.pskd, is_sleepy=self.is_sleepy)
        entropy = self.site.chance.stream(f"accessory/{self.id}/tcat").randbytes
        server = TcatServer(TcatAgent(profile, entropy, self._node()), self.site.clock, self._channel, self._on_tcat)
        self._server = server
        server.agent.view = self._view
        if self.settings.udp_port is not None:
            self._udp = TcatUdp(self, self.settings.udp_port, server)
        if self.settings.ble:
            self._radio = TcatRadio(self, self.address, self.settings, lambda event: self.emit(event, _MEDIUM))
            await self._radio.open(server)
        self._tell(server)
        if self.settings.tcat != "disabled":
            server.do(lambda agent, now: agent.start(now))
        if self.settings.tcat == "standby":
            server.do(lambda agent, now: agent.standby(now))

    async def _stop(self, *, goodbye: bool) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.stop()
        if self._udp is not None:
            self._udp.close()
            self._udp = None
        if self._radio is not None:
            await self._radio.close(goodbye=goodbye)
            self._radio = None
        if self._key_log is not None:
            self._key_log.close()
            self._key_log = None
        await super()._stop(goodbye=goodbye)

    def _show(self) -> ShownIdentity:
        self._identity = identity = shown_identity(self, self.settings.identities, self.told_lies)
        if identity.context is not None and self._key_log is not None:
            self._key_log.watch(identity.context)
        return identity

    def _taken_keys(self) -> str:
        return "" if self._key_log is None else self._key_log.take()

    def _channel(self) -> SecureChannel:
        identity = self._identity
        self._taken_keys()
        if identity.lie is not None:
            self.lie_told(identity.lie, identity.shown.subject)
        return identity.channel()

    def _lies_changed(self) -> None:
        server = self._server
        if server is None:
            return
        server.agent.profile = replace(server.agent.profile, certificate=self._show().certificate)
        self._tell(server)

    def _tell(self, server: TcatServer) -> None:
        server.habits = told_habits(self.told_lies)
        server.do(lambda agent, now: agent.deviate(told_deviations(self.told_lies), now))
        if self._radio is not None:
            self._radio.tell(self.told_lies)

    # What is remembered

    def dump_state(self) -> Mapping[str, Any]:
        """The node, and the certificate of whoever commissioned it."""
        kept = self._commissioner_certificate
        return {**super().dump_state(), "commissioner_certificate": None if kept is None else kept.hex()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what an earlier run left."""
        super().load_state(state)
        kept = state.get("commissioner_certificate")
        self._commissioner_certificate = None if kept is None else bytes.fromhex(kept)

    # The stream

    def _on_tcat(self, event: Event) -> None:
        if isinstance(event, LieTold):
            self.lie_told(event.lie, f"to {event.peer}" if event.peer else "")
            return
        if isinstance(event, TcatSessionOpened):
            event = replace(event, tls="1.2" if self.site.real else "simulated", key_log=self._taken_keys())
        self.emit(event, _MEDIUM)
        match event:
            case TcatAdvertChanged(data=data) if self._radio is not None:
                self._radio.advertise(data)
            case TcatAdvertStopped() if self._radio is not None:
                self._radio.hide()
            case TcatSessionClosed() if self._radio is not None:
                self._radio.disconnect()
            case TcatDatasetSet(tlvs=tlvs):
                if self._server is not None:
                    self._commissioner_certificate = self._server.agent.node.commissioner_certificate
                self._act(lambda: self.perform(lambda now: self._adopt(tlvs, now)))
            case TcatThreadStarted():
                self._act(lambda: self.perform(self.network.enable))
            case TcatThreadStopped():
                self._act(lambda: self.perform(self.network.disable))
            case TcatDecommissioned():
                self._commissioner_certificate = None
                self._act(self._forget)

    def _adopt(self, tlvs: bytes, now: int) -> Any:
        return self.network.adopt_active_dataset(Dataset.decode(tlvs), now, cause="tcat")

    def _forget(self) -> None:
        self.perform(self.network.disable)
        self.perform(lambda now: self.network.set_active_dataset(None, now))

    def _act(self, action: Any) -> None:
        """After the answer has left, unless power went meanwhile."""

        def act() -> None:
            if self._server is not None:
                action()

        self.site.clock.call_later(0, act)

    # The node

    def _on_event(self, event: Event) -> None:
        super()._on_event(event)
        if self._server is not None and not self._is_syncing:
            self._is_syncing = True
            self.site.clock.call_later(0, self._sync)

    def _sync(self) -> None:
        """Tell the agent how the node does, once for all that has happened in a moment."""
        self._is_syncing = False
        server = self._server
        if server is not None:
            if self.network.active_dataset is None:
                self._commissioner_certificate = None
            server.do(lambda agent, now: agent.node_changed(now, self._node()))

    def _node(self) -> TcatNode:
        return TcatNode(
            dataset=self.network.active_dataset,
            commissioner_certificate=self._commissioner_certificate,
            attached=self.network.attached,
        )

    def _view(self) -> NodeView:
        network = self.network
        mode = sum(_MODE_BITS.values()) if not self.is_sleepy else _MODE_BITS["secure_requests"]
        return NodeView(
            eui64=self.eui64,
            ext_address=network.ext_address,
            mode=mode,
            rloc16=network.rloc16,
            mesh_local_prefix=network.mesh_local_prefix if network.attached else None,
            mesh_local_iid=network.identity.mesh_local_iid,
            channel_pages=b"\x00",
            vendor_name=self.settings.vendor,
            vendor_model=self.settings.model,
            vendor_sw_version=self.settings.sw_version,
            vendor_app_url="",
            leader=self._leader_view(),
            counters=network.mle_counters,
        )

    def _leader_view(self) -> LeaderView | None:
        network = self.network
        if network.role is not Role.LEADER:
            return None
        data = network.leader_data
        return LeaderView(
            partition_id=data.partition_id,
            weighting=data.weighting,
            data_version=data.data_version,
            stable_data_version=data.stable_data_version,
            leader_router_id=data.leader_router_id,
            active_routers=network.router_count,
        )

    # Verbs

    def _on(self) -> TcatServer:
        if self._server is None:
            raise ActionRefusedError(f"{self.id} is switched off")
        return self._server

    @verb("activate")
    async def _do_activate(self, delay: Duration = "0s", duration: Duration = "0s") -> None:
        """Let commissioners find it, after a delay and for a while; for good where `duration` is 0s."""
        server, later, long = self._on(), duration_us(delay), duration_us(duration)
        try:
            if server.agent.state == "disabled":
                server.do(lambda agent, now: agent.start(now))
            server.do(lambda agent, now: agent.activate(now, delay=later, duration=long))
        except LocalProtocolError as problem:
            raise ActionRefusedError(str(problem)) from None

    @verb("standby")
    async def _do_standby(self) -> None:
        """Let no commissioner find it any more; one that is connected may finish."""
        try:
            self._on().do(lambda agent, now: agent.standby(now))
        except LocalProtocolError as problem:
            raise ActionRefusedError(str(problem)) from None

    @verb("disconnect")
    async def _do_disconnect(self) -> None:
        """Part with the commissioner."""
        server = self._on()
        if server.peer is None:
            raise ActionRefusedError(f"no commissioner is connected to {self.id}")
        server.lost(server.peer, "told")
        if self._radio is not None:
            self._radio.disconnect()

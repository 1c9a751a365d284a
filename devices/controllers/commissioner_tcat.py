"""A commissioner's verbs towards TCAT devices: over the home's Bluetooth, or UDP where a device is reached by that.

Each verb is one connection: it opens, does what it is for, and closes. A command that the device refuses is a result
with a verdict. Thread 1.4 specification, chapter 13; protocol page: TCAT.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from devices.actor import Actor, verb
from devices.controllers.commissioner_results import RefusedError, done, refused
from devices.controllers.datagram_path import open_path
from devices.controllers.tcat_dialogue import TcatDialogue, judged
from devices.controllers.tcat_gatt import Send, gatt_stream
from devices.errors import UsageError
from devices.sim.chance import Stream
from devices.spec import closest
from devices.stores.tcat_identities import own_identities, simulated_certificate
from devices.transports.tcat_tls import SecureChannel, SimulatedTls, TlsChannel, client_context
from pairing.engine import SECOND, Address, Endpoint, Event, Micros
from pairing.errors import DecodeError
from pairing.thread.dataset import bytes_from_hex
from pairing.thread.tcat.tlvs import TcatType

_MEDIUM = "ble"
_PATIENCE: Micros = 10 * SECOND
_PIECE = 512
ProofKind = Literal["pskd", "pskc", "install-code"]


class TcatVerbs(Actor):
    """What a commissioner of a home can do to a TCAT device of it, or at an address."""

    _ports: Stream

    @verb("tcat-commission")
    async def _do_tcat_commission(
        self,
        dataset: str,
        target: str = "",
        address: str = "",
        pskd: str = "",
        start: bool = True,
        identities: str | None = None,
    ) -> dict[str, Any]:
        """Set a device's dataset (hex) and start Thread; with `pskd`, prove to know it first."""
        tlvs = _octets(dataset, "dataset")

        async def work(dialogue: TcatDialogue) -> Sequence[Event]:
            if pskd:
                judged(await dialogue.ask(lambda engine, now: engine.prove("pskd", pskd.encode(), now)))
            return await dialogue.ask(lambda engine, now: engine.commission(tlvs, now, start=start))

        return await self._tcat(target, address, identities, work)

    @verb("tcat-decommission")
    async def _do_tcat_decommission(
        self, target: str = "", address: str = "", pskc: str = "", identities: str | None = None
    ) -> dict[str, Any]:
        """Have a device forget its network; with `pskc` (hex), prove to know that first."""
        key = _octets(pskc, "pskc")

        async def work(dialogue: TcatDialogue) -> Sequence[Event]:
            if key:
                judged(await dialogue.ask(lambda engine, now: engine.prove("pskc", key, now)))
            return await dialogue.ask(lambda engine, now: engine.command(TcatType.DECOMMISSION, now))

        return await self._tcat(target, address, identities, work)

    @verb("tcat-prove")
    async def _do_tcat_prove(
        self,
        code: str,
        kind: ProofKind = "pskd",
        target: str = "",
        address: str = "",
        identities: str | None = None,
    ) -> dict[str, Any]:
        """Prove to know a code (the PSKc in hex), and for the PSKd have the device prove it as well."""
        key = _octets(code, "pskc") if kind == "pskc" else code.encode()

        async def work(dialogue: TcatDialogue) -> Sequence[Event]:
            news = list(await dialogue.ask(lambda engine, now: engine.prove(kind, key, now)))
            judged(news)
            if kind == "pskd":
                news += await dialogue.ask(lambda engine, now: engine.check_pskd(code, now))
            return news

        return await self._tcat(target, address, identities, work)

    @verb("tcat-command")
    async def _do_tcat_command(
        self,
        command: str,
        value: str = "",
        target: str = "",
        address: str = "",
        identities: str | None = None,
    ) -> dict[str, Any]:
        """One command by its name (`get-network-name`, `get-diagnostics`, `thread-stop`, …), with a value in hex."""
        names = {each.name.lower().replace("_", "-"): each for each in TcatType}
        if command not in names:
            raise UsageError(f"there is no command {command!r}{closest(command, names)}")
        octets = _octets(value, "value")

        async def work(dialogue: TcatDialogue) -> Sequence[Event]:
            return await dialogue.ask(lambda engine, now: engine.command(names[command], now, octets))

        return await self._tcat(target, address, identities, work)

    # Connections

    async def _tcat(self, target: str, address: str, identities: str | None, work: Any) -> dict[str, Any]:
        try:
            async with self._dialogue(self._device(target, address), identities) as dialogue:
                return done({"device": dialogue.peer, "answers": judged(await work(dialogue))})
        except RefusedError as problem:
            return refused(problem.refusal)

    def _device(self, target: str, address: str) -> Endpoint | str:
        found = {each.id: each for each in self.site.others() if getattr(each, "kind", "") == "tcat-device"}
        if not address:
            name = target or (next(iter(found)) if len(found) == 1 else "")
            if name not in found:
                raise UsageError(f"target: one of {list(found)}, not {target!r}{closest(target, found)}")
            endpoints: Mapping[str, str] = getattr(found[name], "endpoints", {})
            if "tcat" not in endpoints and "ble" in endpoints:
                return endpoints["ble"]
            address = endpoints.get("tcat", "")
            if not address:
                raise UsageError(f"{name} is reached neither over Bluetooth nor over UDP: give it either, and power")
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or int(port) > 0xFFFF:
            raise UsageError(f"address is HOST:PORT, not {address!r}")
        return Endpoint(host.strip("[]"), int(port), "" if self.site.real else "lan")

    @asynccontextmanager
    async def _dialogue(self, peer: Endpoint | str, identities: str | None) -> AsyncIterator[TcatDialogue]:
        dialogues: list[TcatDialogue] = []

        def heard(payload: bytes) -> None:
            for each in dialogues:
                each.heard(payload)

        def nobody() -> None:
            for each in dialogues:
                each.lost()

        name = peer if isinstance(peer, str) else f"{peer.host}:{peer.port}"
        entropy = os.urandom if self.site.real else self._ports.randbytes
        if isinstance(peer, str):
            way = gatt_stream(self, peer, _PATIENCE, heard, nobody)
        else:
            way = self._datagrams(peer, heard, nobody)
        async with way as send:
            dialogue = TcatDialogue(name, self._channel(identities), self.site.clock, send, self._tell_tcat, entropy)
            dialogues.append(dialogue)
            try:
                await dialogue.connect(_PATIENCE)
                yield dialogue
            finally:
                dialogue.close()

    @asynccontextmanager
    async def _datagrams(
        self, peer: Endpoint, heard: Callable[[bytes], None], nobody: Callable[[], None]
    ) -> AsyncIterator[Send]:
        def receive(payload: bytes, sender: Address) -> None:
            heard(payload)

        path = await open_path(self.site, self.id, peer, ports=self._ports, receive=receive, refused=nobody)

        def send(data: bytes) -> None:
            for start in range(0, len(data), _PIECE):
                path.send(data[start : start + _PIECE], peer)

        try:
            yield send
        finally:
            await path.close()

    def _channel(self, identities: str | None) -> SecureChannel:
        if not self.site.real:
            chance = self.site.chance.stream(f"commissioner/{self.id}/identity")
            return SimulatedTls(simulated_certificate(chance, commissioner=True), server=False)
        own = own_identities(identities)
        context = client_context(own.certificate("commissioner"), own.key("commissioner"), own.authority)
        return TlsChannel(context, server=False)

    def _tell_tcat(self, event: Event) -> None:
        self.emit(event, _MEDIUM)


def _octets(text: str, what: str) -> bytes:
    try:
        return bytes_from_hex(text)
    except DecodeError as problem:
        raise UsageError(f"{what}: {problem.reason}") from None

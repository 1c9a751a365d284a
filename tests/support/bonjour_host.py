"""A Responder on real sockets, for interop tests: in this process, or as a program in a namespace of its own.

As a program it reads one JSON command a line and prints one JSON event a line:
`python -m tests.support.bonjour_host '{"reach": ["eA"]}'`, then `{"do": "register", "instance": …, "txt": "hex"}`,
`{"do": "update", …}`, `{"do": "withdraw", "instance": …, "type": …}`, `{"do": "close"}`. End of input also closes.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from devices.bonjour.gateway import MdnsGateway
from devices.spec import Reach
from pairing.dnssd.names import RenameStyle
from pairing.dnssd.responder import Responder
from pairing.dnssd.service import ResponderLies, ServiceEvent, ServiceInstance, ServiceKey
from pairing.engine import Endpoint, Event, Micros, Outputs, Transmit


def microseconds() -> Micros:
    """The monotonic clock as engines want it."""
    return time.monotonic_ns() // 1000


class BonjourHost:
    """One Responder on one gateway. `async with BonjourHost() as host`, then `host.do(...)`."""

    def __init__(self, reach: Reach = "loopback", on_event: Callable[[Event], None] | None = None) -> None:
        self.events: list[Event] = []
        self._reach = reach
        self._on_event = on_event or self.events.append
        self._gateway = MdnsGateway(reach)
        self._is_open = False
        self._timer: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()

    async def __aenter__(self) -> "BonjourHost":
        await self._gateway.open(self._receive)
        self.responder = Responder(os.urandom, self._gateway.links(), rename_style=RenameStyle.APPLE)
        self._is_open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.do(lambda responder, now: responder.close(now))
        await self.kill()

    async def kill(self) -> None:
        """Leave without a goodbye."""
        if self._timer is not None:
            self._timer.cancel()
        await self._gateway.close()

    def do(self, intent: Callable[[Responder, Micros], Outputs]) -> None:
        """Run an intent of the engine."""
        self._perform(intent(self.responder, microseconds()))

    async def wait_for(self, kind: type[Event], seconds: float = 10.0) -> Event:
        """The next event of a kind that has not been waited for."""
        async with asyncio.timeout(seconds):
            while True:
                for event in self.events:
                    if isinstance(event, kind):
                        self.events.remove(event)
                        return event
                self._news.clear()
                await self._news.wait()

    def _receive(self, payload: bytes, source: Endpoint) -> None:
        if self._is_open:
            self._perform(self.responder.receive(payload, source, microseconds()))

    def _on_deadline(self) -> None:
        self._perform(self.responder.handle_timeout(microseconds()))

    def _perform(self, outputs: Outputs) -> None:
        for output in outputs:
            if isinstance(output, Transmit):
                self._gateway.send(output.payload, output.to)
            else:
                self._on_event(output)
                self._news.set()
        if self._timer is not None:
            self._timer.cancel()
        deadline = self.responder.deadline
        delay = None if deadline is None else max(0, deadline - microseconds()) / 1_000_000
        self._timer = None if delay is None else asyncio.get_running_loop().call_later(delay, self._on_deadline)


def service_of(command: dict[str, Any]) -> ServiceInstance:
    """The service that a command speaks of."""
    return ServiceInstance(
        command["instance"],
        command["type"],
        command["host"],
        command["port"],
        bytes.fromhex(command.get("txt", "00")),
        tuple(command.get("subtypes", ())),
    )


def _obey(host: BonjourHost, command: dict[str, Any]) -> None:
    match command["do"]:
        case "register":
            lies = ResponderLies(**command.get("lies", {}))
            host.do(lambda responder, now: responder.register(service_of(command), now, lies))
        case "update":
            host.do(lambda responder, now: responder.update(service_of(command), now))
        case "withdraw":
            host.do(lambda responder, now: responder.withdraw(ServiceKey(command["instance"], command["type"]), now))


def _report(event: Event) -> None:
    if isinstance(event, ServiceEvent):
        print(json.dumps({"event": type(event).__name__, "instance": event.instance, "host": event.host}), flush=True)


async def _main(reach: Reach) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with BonjourHost(reach, _report) as host:
        print(json.dumps({"event": "ready"}), flush=True)
        async for line in lines:
            command = json.loads(line)
            if command["do"] == "close":
                break
            _obey(host, command)


if __name__ == "__main__":
    asyncio.run(_main(json.loads(sys.argv[1])["reach"]))

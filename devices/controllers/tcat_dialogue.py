"""A commissioner's conversation with one TCAT device over any stream of bytes: TLS, the device's role, commands.

Whoever has the stream hands in what arrives and sends what comes out. Thread 1.4 specification, chapter 13.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from devices.controllers.commissioner_results import Refusal, RefusedError
from devices.driver import EngineDriver
from devices.sim.clock import Clock
from devices.transports.tcat_tls import SecureChannel, TlsRefusedError
from pairing.engine import Address, Entropy, Event, Micros, Outputs
from pairing.errors import DecodeError
from pairing.thread.tcat.authorization import authorization_of
from pairing.thread.tcat.certificates import ThreadCertificate
from pairing.thread.tcat.commissioner import TcatCommissioner
from pairing.thread.tcat.events import TcatAnswerReceived, TcatCommandTimedOut, TcatDeviceProved

_GUARD_HINT = "a device that has just been left is deaf for two seconds; a device in standby hears nobody: activate it"


class TcatDialogue:
    """One connection. Refusals are RefusedError; events go to `tell` as they happen."""

    def __init__(
        self,
        peer: str,
        channel: SecureChannel,
        clock: Clock,
        send: Callable[[bytes], None],
        tell: Callable[[Event], None],
        entropy: Entropy,
    ) -> None:
        self.peer = peer
        self._channel = channel
        self._clock = clock
        self._send = send
        self._tell = tell
        self._entropy = entropy
        self._driver: EngineDriver[TcatCommissioner] | None = None
        self._news: list[Event] = []
        self._problem: Refusal | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_over = False

    async def connect(self, patience: Micros) -> ThreadCertificate:
        """TLS with a device; its certificate."""
        timer = self._clock.call_later(patience, lambda: self._fail("no-answer", "an answer to the TLS hello", "none"))
        self._channel.begin()
        self._flush()
        try:
            await self._wait(lambda: self._driver is not None)
        finally:
            timer.cancel()
        return self._channel.peer()

    async def ask(self, intent: Callable[[TcatCommissioner, Micros], Outputs]) -> Sequence[Event]:
        """Carry out an intent of the engine; the answers of the device to it, one a command."""
        driver = self._driver
        if driver is None or self._is_over:
            raise RefusedError(Refusal(rule="not-connected", expected="a connection", came="its end"))
        self._news = []
        driver.do(intent)
        self._flush()
        await self._wait(lambda: not driver.engine.is_busy)
        return self._news

    def close(self) -> None:
        """Take leave."""
        driver, self._driver = self._driver, None
        if driver is not None and not self._is_over:
            driver.do(lambda engine, now: engine.disconnect(now))
            self._channel.close()
            self._flush()
        if driver is not None:
            driver.stop()
        self._is_over = True

    # The stream

    def heard(self, data: bytes) -> None:
        """Bytes of the device's."""
        if self._is_over:
            return
        try:
            heard = self._channel.receive(data)
        except TlsRefusedError as problem:
            self._flush()
            self._fail("tls-refused", "a TLS handshake under a common authority", str(problem))
            return
        if heard.established:
            self._establish()
        for plaintext in heard.plaintext:
            if self._driver is not None:
                self._driver.deliver(plaintext, self.peer)
        if heard.closed:
            self._fail("closed-by-device", "a connection that stays", "close_notify")
        self._flush()
        self._wake()

    def lost(self) -> None:
        """The stream has ended, or nobody is at its end."""
        self._fail("unreachable", "a TCAT device", "nobody there")

    def send(self, payload: bytes, to: Address) -> None:
        """A command of the engine's."""
        self._channel.send(payload)

    def _establish(self) -> None:
        try:
            certificate = self._channel.peer()
            authorization_of(certificate, commissioner=False)
        except DecodeError as problem:
            self._fail("device-certificate", "the certificate of a device", problem.reason)
            return
        engine = TcatCommissioner(self.peer, certificate.spki, self._entropy)
        self._driver = EngineDriver(engine, self._clock, on_event=self._on_event, port=self)

    def _on_event(self, event: Event) -> None:
        self._tell(event)
        if isinstance(event, TcatAnswerReceived | TcatDeviceProved):
            self._news.append(event)
        if isinstance(event, TcatCommandTimedOut):
            self._fail("no-answer", f"an answer to {event.command}", "none")
        self._wake()

    def _flush(self) -> None:
        sent = self._channel.take()
        if sent:
            self._send(sent)

    # Waiting

    async def _wait(self, is_done: Callable[[], bool]) -> None:
        while self._problem is None and not is_done():
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._problem is not None:
            raise RefusedError(self._problem)

    def _fail(self, rule: str, expected: str, came: str) -> None:
        if self._problem is None and not self._is_over:
            self._problem = Refusal(rule=rule, expected=expected, came=came, hint=_GUARD_HINT)
            self._is_over = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def judged(news: Sequence[Event]) -> list[dict[str, Any]]:
    """The answers as documents. Raises RefusedError for the first that is no."""
    answers: list[dict[str, Any]] = []
    for event in news:
        match event:
            case TcatAnswerReceived(command=command, status="payload", payload=payload):
                answers.append({"command": command, "payload": payload.hex()})
            case TcatAnswerReceived(command=command, status="success"):
                answers.append({"command": command, "status": "success"})
            case TcatAnswerReceived(command=command, status=status):
                raise RefusedError(Refusal(rule=status, expected=f"{command} to succeed", came=status))
            case TcatDeviceProved(proved=proved):
                if not proved:
                    raise RefusedError(
                        Refusal(rule="device-proof", expected="the device knows the PSKd", came="it does not")
                    )
                answers[-1]["proved"] = True
    return answers

"""Somebody types a sharing code: one use of one code at one port, with the network's datasets or a refusal."""

import asyncio
from collections.abc import Callable

from devices.actor import Site
from devices.controllers.commissioner_results import (
    Refusal,
    RefusedError,
    handshake_refusal,
    nobody_listens,
    request_refusal,
    silence,
)
from devices.controllers.datagram_path import RETRIES, open_path
from devices.driver import EngineDriver
from devices.sim.chance import Stream
from pairing.dtls.events import HandshakeCompleted
from pairing.engine import SECOND, Address, Endpoint, Entropy, Event, Micros, peer_name
from pairing.errors import ExchangeTimeoutError
from pairing.thread.commissioner import CommissionerSettings
from pairing.thread.commissioner_states import FetchState
from pairing.thread.credential_fetch import CredentialFetch
from pairing.thread.meshcop_events import CredentialsFetched, FetchFailed


class CodeUse:
    """One use of a code by one actor. `tell` gets every event."""

    def __init__(
        self, site: Site, actor: str, code: bytes, entropy: Entropy, ports: Stream, tell: Callable[[Event], None]
    ) -> None:
        self._site = site
        self._actor = actor
        self._code = code
        self._entropy = entropy
        self._ports = ports
        self._tell = tell
        self._has_spoken = False
        self._is_connected = False
        self._end: asyncio.Future[CredentialsFetched | FetchFailed] = asyncio.get_running_loop().create_future()

    async def fetch(self, address: Endpoint, patience: Micros) -> CredentialsFetched:
        """Connect, read, close. Raises RefusedError, TransportUnavailableError."""
        engine = CredentialFetch(address, self._code.decode("ascii"), self._entropy, CommissionerSettings(dtls=RETRIES))
        driver = EngineDriver(engine, self._site.clock, on_event=self._on_event)
        peer = peer_name(address)

        def receive(payload: bytes, sender: Address) -> None:
            self._has_spoken = True
            driver.deliver(payload, sender)

        path = await open_path(
            self._site,
            self._actor,
            address,
            ports=self._ports,
            receive=receive,
            refused=lambda: self._fail(RefusedError(nobody_listens(peer, is_code=True))),
        )
        driver.port = path
        alarm = self._site.clock.call_later(patience, lambda: self._fail(self._silence(peer, patience)))
        try:
            driver.do(lambda each, now: each.start(now))
            ended = await self._end
            if isinstance(ended, CredentialsFetched):
                return ended
            raise self._refused(ended, peer)
        finally:
            alarm.cancel()
            if engine.state is not FetchState.IDLE and not engine.state.is_final:
                driver.do(lambda each, now: each.cancel(now))
            driver.stop()
            await path.close()

    def _refused(self, failed: FetchFailed, peer: str) -> RefusedError:
        if self._is_connected:
            return RefusedError(request_refusal("the datasets", failed.error, peer))
        if isinstance(failed.error, ExchangeTimeoutError):
            waited = "the handshake's retries"
            return RefusedError(silence(peer, waited, has_spoken=self._has_spoken, is_code=True))
        return RefusedError(handshake_refusal(failed.error, peer, is_code=True))

    def _silence(self, peer: str, patience: Micros) -> RefusedError:
        waited = f"{patience / SECOND:g} s"
        if self._is_connected:
            came = f"nothing within {waited}"
            expected = f"the datasets from {peer}"
            return RefusedError(Refusal(rule="request-unanswered", expected=expected, came=came, hint="try again"))
        return RefusedError(silence(peer, waited, has_spoken=self._has_spoken, is_code=True))

    def _fail(self, error: Exception) -> None:
        if not self._end.done():
            self._end.set_exception(error)

    def _on_event(self, event: Event) -> None:
        self._tell(event)
        self._is_connected |= isinstance(event, HandshakeCompleted)
        if isinstance(event, CredentialsFetched | FetchFailed) and not self._end.done():
            self._end.set_result(event)

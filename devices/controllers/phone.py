"""An emulated phone: browses Bonjour as its platform does, and keeps Thread credentials by its platform's rules.

It searches the home's lan with the querier engine; what it decides is in `pairing.thread.credentials`. Platforms differ
in what they believe: iOS uses announcements that it heard, Android only answers to its own questions.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.actor import Actor, Site, verb
from devices.driver import EngineDriver
from devices.errors import ActionRefusedError, UnknownKindError, UnknownVerbError, UsageError
from devices.events import ConsentRequested, CredentialRefused, CredentialStored
from devices.media.medium import MediumPort
from devices.spec import Duration, PhoneSpec, closest, duration_us
from devices.stores.credential_rows import CredentialRows
from pairing.dnssd.querier import Querier
from pairing.dnssd.service import ResolvedService, ServiceResolved
from pairing.dnssd.txt import TxtRecord
from pairing.engine import MILLISECOND, Event, Micros, PeerLost
from pairing.errors import DecodeError, EncodeError, LocalProtocolError
from pairing.thread.credentials import (
    Caller,
    CallResult,
    Consent,
    LiveRecord,
    Platform,
    ProfileOutcome,
    StoreFamily,
    call,
    methods,
    result_document,
)
from pairing.thread.credentials.symptoms import SEARCHED_IN_VAIN
from pairing.thread.meshcop_txt import SERVICE_TYPE

_STORE = {StoreFamily.APPLE: "storeCredentials", StoreFamily.GOOGLE: "addCredentials"}
_RETRIEVE = {StoreFamily.APPLE: "retrieveCredentials", StoreFamily.GOOGLE: "getCredentialsByBorderAgent"}


class Phone(Actor):
    """One phone with one app on it. Its store lives as long as `rows` does."""

    role = "phone"

    def __init__(self, site: Site, spec: PhoneSpec, rows: CredentialRows) -> None:
        super().__init__(site, spec.id, spec.name)
        try:
            self.platform = Platform.named(spec.profile)
            self._outcome = ProfileOutcome.named(spec.outcome) if spec.outcome else None
        except LocalProtocolError as problem:
            raise UnknownKindError(f"phone {spec.id!r}: {problem}") from None
        self.profile = self.platform.value
        self.app = spec.app
        self.team = spec.team
        self.consent = Consent(spec.consent)
        self._budget: Micros = duration_us(spec.search_budget)
        self._rows = rows
        self._driver: EngineDriver[Querier] | None = None
        self._port: MediumPort | None = None
        self._browses: Counter[str] = Counter()
        self._news = asyncio.Event()
        self._questions: dict[int, asyncio.Future[Consent]] = {}
        self._last_question = 0

    @property
    def state(self) -> str:
        """One word for the table."""
        return "on" if self._driver is not None else "off"

    @property
    def kind(self) -> str:
        """For the table: `phone` and its profile."""
        return f"phone ({self.profile})"

    @property
    def endpoints(self) -> Mapping[str, str]:
        """A phone is reached through the control API alone."""
        return {}

    @property
    def shows(self) -> Mapping[str, str]:
        """Nothing."""
        return {}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Who it is to a credential store."""
        return {"profile": self.profile, "app": self.app, "team": self.team, "consent": self.consent.value}

    async def start(self) -> None:
        """Join the lan and listen."""
        entropy = self.site.chance.stream(f"phone/{self.id}/bonjour").randbytes
        believes_announcements = self.platform.family is not StoreFamily.GOOGLE
        querier = Querier(entropy, self.site.lan.links_for(self.id), use_announcements=believes_announcements)
        driver = EngineDriver(querier, self.site.clock, on_event=self._on_event)
        self._port = self.site.lan.join(self.id, lambda flight: driver.deliver(flight.payload, flight.source))
        driver.port = self._port
        self._driver = driver
        self._browses = Counter()
        if believes_announcements:
            # It listens from the start and so has what was announced before an app asked.
            driver.do(lambda engine, now: engine.browse(SERVICE_TYPE, now))
            self._browses[SERVICE_TYPE] += 1

    async def stop(self) -> None:
        """Leave the lan."""
        if self._driver is not None:
            self._driver.stop()
            self._driver = None
        if self._port is not None:
            self._port.close()
            self._port = None
        for question in self._questions.values():
            question.cancel()
        self._questions.clear()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ServiceResolved | PeerLost):
            self._news.set()
        self.emit(event, "lan")

    def _querier(self) -> EngineDriver[Querier]:
        if self._driver is None:
            raise ActionRefusedError(f"{self.id} is switched off")
        return self._driver

    @contextlib.contextmanager
    def _browsing(self, service_type: str) -> Iterator[EngineDriver[Querier]]:
        """A browse while the block runs; whoever wants the same type meanwhile shares it."""
        driver, users = self._querier(), self._browses
        if not users[service_type]:
            try:
                driver.do(lambda engine, now: engine.browse(service_type, now))
            except EncodeError as problem:
                raise UsageError(f"browse: {problem}") from None
        users[service_type] += 1
        try:
            yield driver
        finally:
            users[service_type] -= 1
            if not users[service_type] and self._driver is driver:
                driver.do(lambda engine, now: engine.stop(service_type, now))

    # Thread credentials

    async def thread_call(
        self, method: str, arguments: Mapping[str, Any] | None = None, *, secrets: bool = False
    ) -> dict[str, Any]:
        """One call of the platform's credential API, by its own name: `{outcome, verdict, platform, value, …}`.

        Raises UnknownVerbError for a method that the platform does not have, UsageError for wrong arguments.
        """
        known = methods(self.platform)
        if method not in known:
            raise UnknownVerbError(f"{self.profile} has no call {method!r}{closest(method, known)}")
        started = self.site.clock.now()
        result = await self._call(method, arguments or {}, self.consent)
        if result.outcome == "waiting":
            result = await self._call(method, arguments or {}, await self._ask_user(method))
        delay = result.platform.delay_ms * MILLISECOND - (self.site.clock.now() - started)
        if delay > 0:
            await self.site.clock.sleep(delay)
        self._tell(method, arguments or {}, result)
        return dict(result_document(result, secrets=secrets))

    async def _call(self, method: str, arguments: Mapping[str, Any], consent: Consent) -> CallResult:
        """Make the call; while only a longer search can change the answer, look on until the budget is used up."""
        until = self.site.clock.now() + self._budget
        with self._browsing(SERVICE_TYPE) as driver:
            alarm = self.site.clock.call_at(until, self._news.set)
            try:
                while True:
                    self._news.clear()
                    live = [_live_record(found) for found in driver.engine.found(SERVICE_TYPE)]
                    try:
                        result = self._attempt(method, arguments, consent, live)
                    except LocalProtocolError as problem:
                        raise UsageError(f"{method}: {problem}") from None
                    looking = result.verdict.rule in SEARCHED_IN_VAIN and self._outcome is None
                    if not looking or self.site.clock.now() >= until:
                        return result
                    await self._news.wait()
            finally:
                alarm.cancel()

    def _attempt(
        self, method: str, arguments: Mapping[str, Any], consent: Consent, live: Sequence[LiveRecord]
    ) -> CallResult:
        with self._rows.transaction() as stored:
            result = call(
                self.platform,
                method,
                arguments,
                caller=Caller(self.app, self.team),
                rows=stored.rows,
                live=live,
                consent=consent,
                profile_outcome=self._outcome,
                date=self._date(),
                search_budget_ms=self._budget // MILLISECOND,
            )
            stored.write(result.rows)
        return result

    async def _ask_user(self, method: str) -> Consent:
        self._last_question += 1
        number = self._last_question
        answer: asyncio.Future[Consent] = asyncio.get_running_loop().create_future()
        if self.consent is Consent.ASK:
            self._questions[number] = answer
        self.emit(ConsentRequested(request=number, call=method, app=self.app))
        try:
            return await answer
        finally:
            self._questions.pop(number, None)  # whoever called may have given up

    def _date(self) -> int:
        return time.time_ns() // 1_000 if self.site.real else self.site.clock.now()

    def _tell(self, method: str, arguments: Mapping[str, Any], result: CallResult) -> None:
        if method != _STORE.get(self.platform.family, "add_dataset_tlv"):
            return
        agent = str(next((value for name, value in arguments.items() if "agent" in name.lower()), ""))
        verdict = result.verdict
        if verdict.is_refusal:
            self.emit(
                CredentialRefused(
                    platform=self.profile,
                    border_agent=agent,
                    rule=verdict.rule,
                    expected=verdict.expected,
                    came=verdict.came,
                    symptom=verdict.symptom,
                    hint=verdict.hint,
                )
            )
        else:
            self.emit(CredentialStored(platform=self.profile, border_agent=agent))

    # Verbs

    @verb("browse")
    async def _do_browse(self, service_type: str = SERVICE_TYPE, within: Duration = "3s") -> list[dict[str, Any]]:
        """What it finds of a service type within a time."""
        with self._browsing(service_type) as driver:
            await self.site.clock.sleep(duration_us(within))
            return [_found_document(each) for each in driver.engine.found(service_type)]

    @verb("store-credential")
    async def _do_store_credential(self, border_agent: str, dataset: str) -> dict[str, Any]:
        """Store a dataset for a border agent by the platform's own call."""
        method = _STORE.get(self.platform.family, "add_dataset_tlv")
        return await self.thread_call(method, {"border_agent_id": border_agent, "dataset": dataset})

    @verb("retrieve-credential")
    async def _do_retrieve_credential(self, border_agent: str) -> dict[str, Any]:
        """Read a credential back by the platform's own call."""
        method = _RETRIEVE.get(self.platform.family)
        if method is None:
            raise UsageError(f"{self.profile} reads datasets by network, not by border agent")
        return await self.thread_call(method, {"border_agent_id": border_agent})

    @verb("accept")
    async def _do_accept(self, request: int | None = None) -> None:
        """Its user agrees to the question with this number, by default the oldest open one."""
        self._answer(request, Consent.ALLOW)

    @verb("reject")
    async def _do_reject(self, request: int | None = None) -> None:
        """Its user refuses."""
        self._answer(request, Consent.DENY)

    def _answer(self, request: int | None, answer: Consent) -> None:
        number = request if request is not None else next(iter(self._questions), 0)
        question = self._questions.pop(number, None)
        if question is None:
            raise ActionRefusedError(f"{self.id}: no open question{f' {request}' if request is not None else ''}")
        question.set_result(answer)


def _live_record(found: ResolvedService) -> LiveRecord:
    try:
        txt = TxtRecord.decode(found.txt) if found.txt is not None else None
    except DecodeError:
        txt = None
    return LiveRecord(found.instance, txt)


def _found_document(found: ResolvedService) -> dict[str, Any]:
    return {
        "instance": found.instance,
        "type": found.type,
        "host": found.host,
        "port": found.port,
        "txt": None if found.txt is None else found.txt.hex(),
        "addresses": [str(address) for address in found.addresses],
    }

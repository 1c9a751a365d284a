"""An emulated phone: browses Bonjour as its platform does, keeps Thread credentials and pairs by its platform's rules.

It searches the home's lan with the querier engine; what it decides is in `pairing.thread.credentials`. Platforms differ
in what they believe: iOS uses announcements that it heard, Android only answers to its own questions. Wi-Fi Aware is in
the `wifi_aware` modules beside this one.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from devices.actor import Site, verb
from devices.controllers.commissioner_results import RefusedError, refused
from devices.controllers.credential_events import store_event
from devices.controllers.local_network import LocalNetworkAccess
from devices.controllers.phone_code_fetch import CodeFetcher, Fetched
from devices.controllers.questions import Answer
from devices.controllers.user import User
from devices.controllers.wifi_aware import WifiAware
from devices.controllers.wifi_aware_android import AndroidWifiAware
from devices.controllers.wifi_aware_app import App
from devices.controllers.wifi_aware_handset import Handset
from devices.controllers.wifi_aware_ios import IosWifiAware
from devices.controllers.wifi_aware_results import producible
from devices.controllers.wifi_aware_ring import KeyRing
from devices.controllers.wifi_aware_verbs import WifiAwareVerbs
from devices.driver import EngineDriver
from devices.errors import ActionRefusedError, UnknownKindError, UnknownVerbError, UsageError
from devices.events import StateChanged
from devices.media.medium import MediumPort
from devices.spec import Duration, PhoneSpec, closest, duration_us
from devices.stores.credential_rows import CredentialRows
from pairing.dnssd.querier import Querier
from pairing.dnssd.service import ResolvedService, ServiceResolved
from pairing.dnssd.txt import TxtRecord
from pairing.engine import MILLISECOND, Event, Micros, PeerLost
from pairing.errors import DecodeError, EncodeError, LocalProtocolError
from pairing.keys import NIK_LENGTH
from pairing.nan.platform_rules import Family, NanPlatform, UnknownPlatformError
from pairing.thread.credentials import (
    Caller,
    CallResult,
    Consent,
    LiveRecord,
    Platform,
    ProfileOutcome,
    StoreFamily,
    call,
    delete_in_settings,
    methods,
    result_document,
)
from pairing.thread.credentials.symptoms import SEARCHED_IN_VAIN
from pairing.thread.meshcop_txt import SERVICE_TYPE

_STORE = {StoreFamily.APPLE: "storeCredentials", StoreFamily.GOOGLE: "addCredentials"}
_DELETE = {StoreFamily.APPLE: "deleteCredentials", StoreFamily.GOOGLE: "removeCredentials"}
_RETRIEVE = {StoreFamily.APPLE: "retrieveCredentials", StoreFamily.GOOGLE: "getCredentialsByBorderAgent"}

OTHER_PROFILES = ("raw", "hostap", "openthread", "ot-commissioner")
"""Profiles without a credential store."""
PROFILES = (*(each.value for each in Platform), *OTHER_PROFILES)
"""What a phone can be; `apple` and `google` are aliases of the newest."""


class Phone(WifiAwareVerbs):
    """One phone with one app on it. Its store lives as long as `rows` does."""

    role = "phone"

    def __init__(self, site: Site, spec: PhoneSpec, rows: CredentialRows) -> None:
        super().__init__(site, spec.id, spec.name)
        self._thread = _thread_platform(spec)
        self.profile = spec.profile if self._thread is None else self._thread.value
        self.app = spec.app
        self.team = spec.team
        self.local_network = LocalNetworkAccess(self._thread)
        self.user = User(
            site,
            app=spec.app,
            consent=Consent(spec.consent),
            code=spec.code,
            patience=spec.patience,
            tell=self.emit,
        )
        self._budget: Micros = duration_us(spec.search_budget)
        self._rows = rows
        self._driver: EngineDriver[Querier] | None = None
        self._port: MediumPort | None = None
        self._browses: Counter[str] = Counter()
        self._news = asyncio.Event()
        self._saved: dict[str, Any] = {}
        self._code_fetcher = CodeFetcher(site, self.id, self.user, self._look_for, self.emit)
        self._take_up_wifi_aware(spec)
        self._outcome: ProfileOutcome | None = None
        self.set_outcome(spec.outcome)

    def _take_up_wifi_aware(self, spec: PhoneSpec) -> None:
        try:
            platform = NanPlatform.named(spec.profile)
        except UnknownPlatformError:
            return
        app = App(
            phone_id=self.id,
            phone_name=self.name,
            app=spec.app,
            profile=self.profile,
            platform=platform,
            services=spec.services,
            entitlements=spec.entitlements,
        )
        chance = self.site.chance
        nik = chance.stream(f"phone/{self.id}/nik/{spec.app}").randbytes(NIK_LENGTH)
        aware = WifiAware(self.site, app, KeyRing(spec.app, nik), self.user, self.emit)
        self._handset = Handset(aware, chance.stream(f"phone/{self.id}/codes"), self._budget)
        if platform.family is Family.IOS:
            self._ios = IosWifiAware(self._handset)
        elif platform.family is Family.ANDROID:
            self._android = AndroidWifiAware(self._handset)

    @property
    def platform(self) -> Platform:
        """Whose credential store it has. Raises UnknownVerbError where its profile has none."""
        if self._thread is None:
            raise UnknownVerbError(
                f"{self.profile} has no Thread credential store; ios, android and home-assistant phones have one"
            )
        return self._thread

    @property
    def consent(self) -> Consent:
        """What its user does when the system asks."""
        return self.user.consent

    @consent.setter
    def consent(self, consent: Consent) -> None:
        self.user.consent = consent

    @property
    def outcome(self) -> str | None:
        """What every call ends in, if somebody asked for that."""
        if self._outcome is not None:
            return self._outcome.value
        return None if self._handset is None else self._handset.aware.outcome

    def set_outcome(self, name: str | None) -> None:
        """What calls end in from now on, by name; None: what comes of them. Raises UnknownKindError."""
        outcomes = [each.value for each in ProfileOutcome] if self._thread is not None else []
        endings = [] if self._handset is None else producible(self._handset.aware.app.platform)
        if name is not None and name not in (*outcomes, *endings):
            hint = closest(name, [*outcomes, *endings])
            raise UnknownKindError(f"phone {self.id!r}: {self.profile} knows no outcome {name!r}{hint}")
        self._outcome = ProfileOutcome(name) if name in outcomes else None
        if self._handset is not None:
            self._handset.aware.outcome = name if name in endings else None

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
        """The code on its screen while it lets devices pair with it."""
        code = "" if self._handset is None else self._handset.hosting.code
        return {"code": code, "pin": code} if code else {}

    @property
    def facts(self) -> Mapping[str, Any]:
        """Who it is to a credential store, and to Wi-Fi Aware."""
        facts = {"profile": self.profile, "app": self.app, "team": self.team, "consent": self.consent.value}
        if self._handset is None:
            return facts
        aware = self._handset.aware
        return {**facts, **aware.facts, "devices": self._handset.devices()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up the paired devices of an earlier run; those of other apps stay as they are."""
        apps = state.get("wifi_aware")
        self._saved = dict(apps) if isinstance(apps, Mapping) else {}
        saved = self._saved.get(self.app)
        if self._handset is not None and isinstance(saved, Mapping):
            self._handset.aware.ring.load(saved)

    def dump_state(self) -> Mapping[str, Any]:
        """The paired devices of each app as JSON values; holds secrets."""
        kept = {} if self._handset is None else self._handset.aware.ring.dump()
        apps = {**self._saved, **({self.app: kept} if kept else {})}
        return {"wifi_aware": apps} if apps else {}

    async def start(self) -> None:
        """Join the lan and listen, and get on the air."""
        if self._handset is not None and not self._handset.aware.is_on:
            self._handset.aware.start()
        entropy = self.site.chance.stream(f"phone/{self.id}/bonjour").randbytes
        believes_announcements = self._thread is None or self._thread.family is not StoreFamily.GOOGLE
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
        """Leave the lan and the air."""
        if self._handset is not None:
            await self._handset.aware.stop()
            self._handset.clear()
        for shape in (self._ios, self._android):
            if shape is not None:
                shape.clear()
        if self._driver is not None:
            self._driver.stop()
            self._driver = None
        if self._port is not None:
            self._port.close()
            self._port = None
        self.user.questions.close()

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
            answer = await self.user.ask(method)
            consent = Consent.ALLOW if answer.is_accepted else Consent.DENY
            result = await self._call(method, arguments or {}, consent)
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

    def _date(self) -> int:
        return time.time_ns() // 1_000 if self.site.real else self.site.clock.now()

    def _tell(self, method: str, arguments: Mapping[str, Any], result: CallResult) -> None:
        if method != _STORE.get(self.platform.family, "add_dataset_tlv"):
            return
        self.emit(store_event(self.profile, arguments, result))

    # Sharing codes

    async def _look_for(
        self, service_type: str, wanted: Callable[[ResolvedService], bool], within: Micros
    ) -> ResolvedService | None:
        """The first service of a type that is wanted; None if there was none in that time."""
        until = self.site.clock.now() + within
        with self._browsing(service_type) as driver:
            alarm = self.site.clock.call_at(until, self._news.set)
            try:
                while True:
                    self._news.clear()
                    found = next(filter(wanted, driver.engine.found(service_type)), None)
                    if found is not None or self.site.clock.now() >= until:
                        return found
                    await self._news.wait()
            finally:
                alarm.cancel()

    async def _store_fetched(self, fetched: Fetched) -> dict[str, Any]:
        """What the store says of a credential that a code was worth; a profile without one keeps nothing."""
        value = {
            "border_agent": fetched.instance,
            "network_name": fetched.network_name,
            "dataset": fetched.active.hex(),
        }
        if self._thread is None:
            return {"outcome": "done", "value": value}
        is_google = self._thread.family is StoreFamily.GOOGLE
        agent_id = fetched.border_agent_id if is_google else fetched.extended_address
        stored = await self._do_store_credential(agent_id.hex(), fetched.active.hex())
        return stored if stored["outcome"] == "refused" else {**stored, "value": value}

    # Verbs

    @verb("fetch-by-code")
    async def _do_fetch_by_code(
        self, target: str = "", code: str | None = None, within: Duration | None = None
    ) -> dict[str, Any]:
        """Find a border router that shows a sharing code, type the code, and store what it is worth."""
        budget = self._budget if within is None else duration_us(within)
        self._querier()
        if self.local_network.is_denied:
            self.local_network.attempt("fetch-by-code")
            return self.local_network.refusal("a search for border routers")
        try:
            fetched = await self._code_fetcher.fetch(target, code, budget, self.user.patience)
        except RefusedError as problem:
            return {**refused(problem.refusal), "platform": {"domain": None, "code": None, "case": None, "delay_ms": 0}}
        return await self._store_fetched(fetched)

    @verb("browse")
    async def _do_browse(
        self, service_type: str = SERVICE_TYPE, within: Duration = "3s", service: str | None = None
    ) -> list[dict[str, Any]] | dict[str, Any]:
        """What it finds of a Bonjour service type, or of a Wi-Fi Aware service (`*`: of any), within a time."""
        if service is not None:
            return await self.handset.look_around(service, duration_us(within))
        with self._browsing(service_type) as driver:
            self.local_network.attempt(f"browse {service_type}")
            await self.site.clock.sleep(duration_us(within))
            if self.local_network.is_denied:
                return self.local_network.refusal(f"a browse of {service_type}")
            return [_found_document(each) for each in driver.engine.found(service_type)]

    @verb("store-credential")
    async def _do_store_credential(self, border_agent: str, dataset: str) -> dict[str, Any]:
        """Store a dataset for a border agent by the platform's own call."""
        method = _STORE.get(self.platform.family, "add_dataset_tlv")
        return await self.thread_call(method, {"border_agent_id": border_agent, "dataset": dataset})

    @verb("retrieve-credential")
    async def _do_retrieve_credential(self, border_agent: str) -> dict[str, Any]:
        """Read a credential back by the platform's own call."""
        return await self.thread_call(self._method(_RETRIEVE), {"border_agent_id": border_agent})

    @verb("thread-call")
    async def _do_thread_call(self, call: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any call of the platform's credential API, by its own name, such as `retrieveAllActiveCredentials`."""
        return await self.thread_call(call, arguments)

    def _method(self, names: Mapping[StoreFamily, str]) -> str:
        if self.platform.family not in names:
            raise UsageError(f"{self.profile} knows datasets by network, not by border agent")
        return names[self.platform.family]

    @verb("delete-credential")
    async def _do_delete_credential(self, border_agent: str, in_settings: bool = False) -> dict[str, Any]:
        """Delete a credential by the platform's own call; or its user deletes it `in_settings`, for every app."""
        if not in_settings:
            return await self.thread_call(self._method(_DELETE), {"border_agent_id": border_agent})
        with self._rows.transaction() as stored:
            agents = [row.border_agent_id for row in stored.rows if row.border_agent_id.hex() == border_agent.lower()]
            if not agents:
                raise ActionRefusedError(f"{self.id} has nothing stored for border agent {border_agent}")
            stored.write(delete_in_settings(stored.rows, self.platform.family, agents[0]))
        return {"outcome": "done"}

    @verb("accept")
    async def _do_accept(self, request: int | None = None, code: str | None = None) -> None:
        """Its user agrees to the question with this number, by default the oldest; with the code that it asks for."""
        self._answer(request, Answer(True, code))

    @verb("reject")
    async def _do_reject(self, request: int | None = None) -> None:
        """Its user refuses."""
        self._answer(request, Answer(False))

    def _answer(self, request: int | None, answer: Answer) -> None:
        try:
            self.user.questions.answer(request, answer)
        except ActionRefusedError as problem:
            raise ActionRefusedError(f"{self.id}: {problem}") from None

    @verb("power-on")
    async def _do_power_on(self) -> None:
        """Switch it on."""
        if self._driver is None:
            await self.start()
            self.emit(StateChanged(state=self.state, reason="power-on"))

    @verb("power-off")
    async def _do_power_off(self) -> None:
        """Switch it off; what it remembers stays."""
        if self._driver is not None:
            await self.stop()
            self.emit(StateChanged(state=self.state, reason="power-off"))

    @verb("restart")
    async def _do_restart(self) -> None:
        """Off and on again, under new addresses on the air."""
        await self._do_power_off()
        await self._do_power_on()


def _thread_platform(spec: PhoneSpec) -> Platform | None:
    """Whose credential store a profile has. Raises UnknownKindError for what is no profile."""
    if spec.profile in OTHER_PROFILES:
        return None
    try:
        return Platform.named(spec.profile)
    except LocalProtocolError:
        known = [*PROFILES, "apple", "google"]
        raise UnknownKindError(
            f"phone {spec.id!r}: there is no profile {spec.profile!r}{closest(spec.profile, known)}"
        ) from None


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

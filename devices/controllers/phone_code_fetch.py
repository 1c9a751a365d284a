"""A phone's user types the sharing code that a border router shows: found by Bonjour, fetched by MeshCoP over DTLS.

What becomes of the credential is the phone's store's to judge. Thread 1.4, credential sharing; `_meshcop-e._udp` has no
TXT record, so the border agent's identity comes from `_meshcop._udp` under the same instance name.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from devices.actor import Actor, Site
from devices.controllers.commissioner_results import Refusal, RefusedError
from devices.controllers.credential_fetching import CodeUse
from devices.controllers.user import User
from devices.errors import UnknownActorError
from devices.spec import closest
from pairing.dnssd.service import ResolvedService
from pairing.dnssd.txt import TxtRecord
from pairing.engine import SECOND, Endpoint, Event, Micros
from pairing.errors import DecodeError
from pairing.thread.dataset import Dataset
from pairing.thread.meshcop_txt import EPHEMERAL_SERVICE_TYPE, SERVICE_TYPE, MeshCopTxt

KIND = "ephemeral-key"
RETYPING: Micros = 3 * SECOND
"""How long it takes to see that a code was wrong and to type another."""
LookFor: TypeAlias = Callable[[str, Callable[[ResolvedService], bool], Micros], Awaitable[ResolvedService | None]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a code was worth, and who gave it."""

    instance: str
    agent: MeshCopTxt | None
    """The border agent's `_meshcop._udp` record, if it has one."""
    active: bytes = field(repr=False)
    pending: bytes = field(repr=False)

    @property
    def network_name(self) -> str | None:
        """As the dataset says; None for one that cannot be read."""
        try:
            return Dataset.decode(self.active).network_name
        except DecodeError:
            return None

    @property
    def border_agent_id(self) -> bytes:
        """What Google's store knows the border agent by; empty if its record does not tell."""
        return (None if self.agent is None else self.agent.border_agent_id) or b""

    @property
    def extended_address(self) -> bytes:
        """What Apple's store knows it by."""
        return (None if self.agent is None else self.agent.extended_address) or b""


class CodeFetcher:
    """One phone's way from a code on somebody's screen to the network's datasets."""

    def __init__(self, site: Site, phone_id: str, user: User, look_for: LookFor, tell: Callable[[Event, str], None]):
        self._site = site
        self._phone_id = phone_id
        self._user = user
        self._look_for = look_for
        self._tell = tell
        self._entropy = site.chance.stream(f"phone/{phone_id}/code-fetch").randbytes
        self._ports = site.chance.stream(f"phone/{phone_id}/ports")

    async def fetch(self, target: str, code: str | None, within: Micros, patience: Micros) -> Fetched:
        """Find who shares, have the user type the code, and read the datasets. Raises RefusedError."""
        wanted = self._instance_of(target)
        found = await self._look_for(
            EPHEMERAL_SERVICE_TYPE, lambda each: each.is_resolved and wanted in ("", each.instance), within
        )
        if found is None:
            raise RefusedError(_nobody_shares(target, within))
        fetched = await self._type_and_fetch(found, code, patience)
        record = await self._look_for(
            SERVICE_TYPE, lambda each: each.instance == found.instance and each.txt is not None, within
        )
        return Fetched(found.instance, _meshcop(record), fetched[0], fetched[1])

    async def _type_and_fetch(self, found: ResolvedService, code: str | None, patience: Micros) -> tuple[bytes, bytes]:
        host = str(next((each for each in found.addresses if each.version == 4), found.addresses[0]))
        address = Endpoint(host, found.port)
        owner = next((each for each in self._site.others() if _instance(each) == found.instance), None)
        is_foreign = owner is None and self._site.real
        entropy = os.urandom if is_foreign else self._entropy  # towards a network that is not ours no seed counts
        attempts = self._user.attempts(code)
        for attempt in range(1, attempts + 1):
            typed = await self._typed(found.instance, owner, code, attempt)
            use = CodeUse(self._site, self._phone_id, typed, entropy, self._ports, lambda each: self._tell(each, "lan"))
            try:
                fetched = await use.fetch(address, patience)
                return fetched.active, fetched.pending
            except RefusedError as problem:
                if problem.refusal.rule != "wrong-code" or attempt == attempts:
                    raise
            await self._site.clock.sleep(RETYPING)
        raise AssertionError("an attempt ends in a return or a raise")

    async def _typed(self, instance: str, owner: Actor | None, code: str | None, attempt: int) -> bytes:
        right = None if owner is None else self._user.read_screen(owner, KIND)
        answer = await self._user.type_text(KIND, instance, EPHEMERAL_SERVICE_TYPE, right, code, attempt)
        if answer is None or not answer.is_accepted or not answer.code:
            came = "nothing in time" if answer is None else "a refusal by its user"
            raise RefusedError(
                Refusal(rule="no-code-typed", expected="the code that the border router shows", came=came)
            )
        digits = answer.code.replace(" ", "").replace("-", "")
        if not digits.isascii():
            raise RefusedError(Refusal(rule="no-code", expected="nine digits", came="something else"))
        return digits.encode()

    def _instance_of(self, target: str) -> str:
        """The Bonjour name of an accessory, or the name that was given. Raises UnknownActorError."""
        if not target:
            return ""
        others = {each.id: each for each in self._site.others()}
        if target in others:
            return _instance(others[target]) or target
        known = [name for each in others.values() if (name := _instance(each))]
        if known and target not in known and not self._site.real:
            raise UnknownActorError(f"no border router {target!r} in this home{closest(target, [*others, *known])}")
        return target


def _instance(actor: Actor) -> str:
    facts: dict[str, Any] = dict(getattr(actor, "facts", {}))
    return str(facts.get("instance") or "")


def _nobody_shares(target: str, within: Micros) -> Refusal:
    return Refusal(
        rule="nobody-shares",
        expected=f"{target or 'a border router'} on {EPHEMERAL_SERVICE_TYPE}",
        came=f"nothing within {within / SECOND:g} s",
        hint="have the border router show a code: its button, or `share-code`",
    )


def _meshcop(record: ResolvedService | None) -> MeshCopTxt | None:
    try:
        return None if record is None or record.txt is None else MeshCopTxt.from_txt(TxtRecord.decode(record.txt))
    except DecodeError:
        return None

"""The user of an emulated phone: what he types when a code is asked for, and what he says when the system asks.

`code` is a policy: `right` reads what the other device shows, as a person would; `wrong` types something else,
`wrong-then-right` both in turn, and `none` waits for whoever drives the phone.
"""

import asyncio
from collections.abc import Callable
from typing import Literal, TypeAlias

from devices.actor import Actor, Site
from devices.controllers.questions import Answer, Questions
from devices.events import CodeRequired, ConsentRequested
from devices.spec import duration_us
from pairing.engine import Event, Micros
from pairing.nan.identifiers import address_text
from pairing.thread.credentials import Consent

CodePolicy: TypeAlias = Literal["right", "wrong", "wrong-then-right", "none"]
_NO_CODE = "000000"


class User:
    """Answers for one phone. `tell` logs what he is asked."""

    def __init__(
        self, site: Site, *, app: str, consent: Consent, code: CodePolicy, patience: str, tell: Callable[[Event], None]
    ) -> None:
        self.consent = consent
        self.code: CodePolicy = code
        self.questions = Questions()
        self.patience: Micros = duration_us(patience)
        self._site = site
        self._app = app
        self._tell = tell

    async def decide(self, call: str, peer: str | None = None) -> bool:
        """Whether he agrees to what a call is about to do; `never` waits for ever."""
        match self.consent:
            case Consent.ALLOW:
                return True
            case Consent.DENY:
                return False
        return (await self.ask(call, peer)).is_accepted

    async def ask(self, call: str, peer: str | None = None) -> Answer:
        """Put the question to whoever drives the phone."""
        return await self.questions.ask(
            lambda number: self._tell(ConsentRequested(peer=peer, request=number, call=call, app=self._app)),
            is_heard=self.consent is not Consent.NEVER,
        )

    def attempts(self, given: str | None) -> int:
        """How often he tries when nobody says what to type."""
        return 2 if given is None and self.code == "wrong-then-right" else 1

    async def type_code(
        self, kind: str, peer: bytes, service: str, given: str | None = None, attempt: int = 1
    ) -> Answer | None:
        """What he types for a device on the air, or that he will not; None if his patience was over before."""
        return await self.type_text(kind, address_text(peer), service, self.read_code(peer, kind), given, attempt)

    async def type_text(
        self, kind: str, peer: str, service: str, right: str | None, given: str | None = None, attempt: int = 1
    ) -> Answer | None:
        """The same for whoever `peer` names, with the code that is right as far as he can read it."""
        typed = given
        if typed is None and self.code != "none":
            is_wrong = self.code == "wrong" or (self.code == "wrong-then-right" and attempt == 1)
            typed = wrong_code(right) if is_wrong else right
        if typed is not None:
            self._require(kind, peer, service, self.questions.number(), is_waiting=False)
            return Answer(True, typed)
        asking = asyncio.ensure_future(
            self.questions.ask(lambda number: self._require(kind, peer, service, number, is_waiting=True))
        )
        late = asyncio.ensure_future(self._site.clock.sleep(self.patience))
        try:
            await asyncio.wait((asking, late), return_when=asyncio.FIRST_COMPLETED)
            return asking.result() if asking.done() and not asking.cancelled() else None
        finally:
            asking.cancel()
            late.cancel()
            await asyncio.gather(asking, late, return_exceptions=True)

    def read_code(self, peer: bytes, kind: str) -> str | None:
        """What the device behind an address shows, if it is one of the home and shows anything."""
        owner = self._site.air.actor_at(peer)
        for other in self._site.others():
            if other.id == owner:
                return self.read_screen(other, kind)
        return None

    def read_screen(self, other: Actor, kind: str) -> str | None:
        """What somebody of the home shows."""
        shows: dict[str, str] = dict(getattr(other, "shows", {}))
        return shows.get(kind) or shows.get("code")

    def _require(self, kind: str, peer: str, service: str, number: int, *, is_waiting: bool) -> None:
        self._tell(CodeRequired(peer=peer, kind=kind, request=number, service=service, is_waiting=is_waiting))


def wrong_code(right: str | None) -> str:
    """A code that is certainly not the right one, of the same form."""
    if not right:
        return _NO_CODE
    if right.isdecimal():
        return "".join(str((int(digit) + 1) % 10) for digit in right)
    return right[1:] + right[:1] if right[1:] + right[:1] != right else f"{right}x"

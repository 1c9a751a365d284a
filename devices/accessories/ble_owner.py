"""The owner of a Bluetooth LE accessory: consents, compares and types, by policy or when a verb says so."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from devices.accessories.ble_settings import BlePairingTable
from devices.accessories.wifi_aware_policy import AcceptPolicy, Answer
from devices.ble_events import PairingRequested
from devices.errors import ActionRefusedError, UsageError
from devices.events import CodeRequired, CodeShown
from devices.media.ble import BleMedium
from devices.sim.chance import Stream
from pairing.engine import Event

_HIGHEST = 999_999


@dataclass(slots=True, eq=False)
class _Question:
    """Waits for `accept` or `reject`. `needs_code`: for a number to be typed as well."""

    peer: str
    needs_code: bool
    answer: "asyncio.Future[int | bool | None]"


class BleOwner:
    """One person with one accessory; `shown_code` is the number on its display now."""

    def __init__(
        self, table: BlePairingTable, medium: BleMedium, chance: Stream, emit: Callable[[Event], None]
    ) -> None:
        self.shown_code: str | None = None
        self._table = table
        self._medium = medium
        self._chance = chance
        self._emit = emit
        self._policy = AcceptPolicy(table.accept)
        self._questions: list[_Question] = []
        self._has_erred = False

    # Bumble asks

    async def asked(self, peer: str) -> bool:
        """May it pair at all? With a numeric comparison that is the question."""
        method = self._table.method
        if method == "none":
            self._emit(PairingRequested(peer=peer, method=method))
            return False
        if method == "numeric-comparison":
            self._emit(PairingRequested(peer=peer, method=method))
            return True
        return await self._decide(peer)

    async def compared(self, peer: str, number: int) -> bool:
        """Do both sides show this number?"""
        self.shown(peer, number)
        return await self._decide(peer)

    async def typed(self, peer: str) -> int | None:
        """The number that the other side shows."""
        seen = self.seen(peer)
        habit = self._table.code
        is_waiting = seen is None or habit == "none"
        self._emit(CodeRequired(peer=peer, kind="passkey", is_waiting=is_waiting))
        if seen is None or is_waiting:
            answer = await self._wait(peer, needs_code=True)
            return None if answer is None or isinstance(answer, bool) else answer
        is_wrong = habit == "wrong" or (habit == "wrong-then-right" and not self._has_erred)
        self._has_erred = self._has_erred or is_wrong
        return seen % _HIGHEST + 1 if is_wrong else seen

    def seen(self, peer: str) -> int | None:
        """The number that the other side shows, as far as a person there could read it."""
        return self._medium.passkeys.get(peer)

    def shown(self, peer: str, number: int) -> None:
        """The number is on the display from now on."""
        self.shown_code = f"{number:06d}"
        self._emit(CodeShown(peer=peer, kind="passkey", code=self.shown_code))

    def drawn(self) -> int:
        """The passkey of this attempt."""
        return int(self._table.passkey) if self._table.passkey else self._chance.randrange(1, _HIGHEST + 1)

    # The owner decides

    async def _decide(self, peer: str) -> bool:
        decision = self._policy.decide()
        is_waiting = decision.answer in (Answer.ASK, Answer.NOTHING)
        self._emit(PairingRequested(peer=peer, method=self._table.method, is_waiting=is_waiting))
        if is_waiting:
            return bool(await self._wait(peer, needs_code=False))
        if decision.after:
            await self._medium.clock.sleep(decision.after)
        return decision.answer is Answer.ACCEPT

    async def _wait(self, peer: str, *, needs_code: bool) -> int | bool | None:
        question = _Question(peer, needs_code, asyncio.get_running_loop().create_future())
        self._questions.append(question)
        try:
            return await question.answer
        finally:
            self._questions.remove(question)

    def settle(self, *, accepted: bool, code: str | None) -> str:
        """Answer the oldest question; whose it was. Raises ActionRefusedError if there is none, UsageError."""
        if not self._questions:
            raise ActionRefusedError("nobody asks to be paired now")
        question = self._questions[0]
        if not accepted:
            question.answer.set_result(None if question.needs_code else False)
        elif question.needs_code:
            if code is None or not (code.isascii() and code.isdigit() and int(code) <= _HIGHEST):
                raise UsageError("`accept` here takes code = the six digits that the other side shows")
            question.answer.set_result(int(code))
        else:
            question.answer.set_result(True)
        return question.peer

    def attempt_over(self) -> None:
        """The number is no longer on the display."""
        self.shown_code = None

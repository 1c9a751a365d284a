"""What a phone asks its user, and the answers of whoever drives the phone."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from devices.errors import ActionRefusedError


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes, with a code where one was asked for, or no."""

    is_accepted: bool
    code: str | None = field(default=None, repr=False)


class Questions:
    """The open questions of one phone, by number."""

    def __init__(self) -> None:
        self._open: dict[int, asyncio.Future[Answer]] = {}
        self._last = 0

    @property
    def numbers(self) -> tuple[int, ...]:
        """The open ones, the oldest first."""
        return tuple(self._open)

    def number(self) -> int:
        """A number for a question that needs no answer."""
        self._last += 1
        return self._last

    async def ask(self, tell: Callable[[int], None], *, is_heard: bool = True) -> Answer:
        """Put a question: `tell` is called with its number. One that is not heard is never answered."""
        number = self.number()
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if is_heard:
            self._open[number] = answer
        tell(number)
        try:
            return await answer
        finally:
            self._open.pop(number, None)  # whoever asked may have given up

    def answer(self, number: int | None, answer: Answer) -> None:
        """Answer the question with that number, by default the oldest. Raises ActionRefusedError."""
        chosen = number if number is not None else next(iter(self._open), 0)
        question = self._open.pop(chosen, None)
        if question is None:
            raise ActionRefusedError(f"no open question{f' {number}' if number is not None else ''}")
        question.set_result(answer)

    def close(self) -> None:
        """Nobody will be answered any more."""
        for question in self._open.values():
            question.cancel()
        self._open.clear()

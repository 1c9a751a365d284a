"""Ladders: a transcript as text, one column an actor, one line a rung.

    seconds    br        phone
    0.000000   ●────────▶           query PTR _meshcop._udp
    0.001000             ◆          PeerDiscovered service=_meshcop._udp

A group frame points at every other column.
"""

from collections.abc import Iterable, Iterator, Sequence

from devices.transcripts.reader import Record
from devices.transcripts.rungs import Cast, Mark, Rung, rungs
from pairing.engine import Micros

_TIME_WIDTH = 12
_LANES_WIDTH = 72
_NARROWEST, _WIDEST = 6, 16
_LANE, _SENDER, _LINE, _RIGHT, _LEFT = "│", "●", "─", "▶", "◀"
_SIGNS = {Mark.EVENT: "◆", Mark.LOST: "✕", Mark.CHANGED: "≠"}


def ladder(records: Iterable[Record], cast: Cast, *, hci: bool = False) -> Iterator[str]:
    """The lines of a ladder. Control characters are escaped: what came from a network must not drive a terminal."""
    return drawn(rungs(records, cast, hci=hci), cast.actors)


def drawn(rungs: Iterable[Rung], actors: Sequence[str]) -> Iterator[str]:
    """The lines of a ladder with these rungs."""
    lanes = _Lanes(actors)
    yield lanes.heading
    for each in rungs:
        sign = _SIGNS.get(each.mark)
        cells = lanes.arrow(each.actor, each.receivers) if sign is None else lanes.mark(each.actor, sign)
        yield lanes.line(each.at_us, cells, each.text)


class _Lanes:
    def __init__(self, actors: Sequence[str]) -> None:
        shown = [_printable(each) for each in actors]
        longest = max((len(each) for each in shown), default=0) + 2
        room = _LANES_WIDTH // max(1, len(actors))
        self._width = max(_NARROWEST, min(longest, room, _WIDEST))
        self._place = {actor: index * self._width for index, actor in enumerate(actors)}
        cut = (each if len(each) < self._width else f"{each[: self._width - 2]}…" for each in shown)
        self.heading = f"{'seconds':>{_TIME_WIDTH}}  {''.join(f'{each:<{self._width}}' for each in cut)}".rstrip()

    def line(self, at_us: Micros, lanes: str, text: str) -> str:
        seconds = f"{at_us // 1_000_000}.{at_us % 1_000_000:06}"
        return f"{seconds:>{_TIME_WIDTH}}  {lanes}  {_printable(text)}"

    def mark(self, actor: str, sign: str) -> str:
        cells = self._blank()
        if actor in self._place:
            cells[self._place[actor]] = sign
        return "".join(cells)

    def arrow(self, sender: str, receivers: Iterable[str]) -> str:
        cells = self._blank()
        start = self._place[sender]
        ends = [self._place[each] for each in receivers if each in self._place and each != sender]
        for place in range(min([start, *ends]), max([start, *ends])):
            cells[place] = _LINE
        for place in ends:
            cells[place] = _RIGHT if place > start else _LEFT
        cells[start] = _SENDER
        return "".join(cells)

    def _blank(self) -> list[str]:
        cells = [" "] * (len(self._place) * self._width)
        for place in self._place.values():
            cells[place] = _LANE
        return cells


def _printable(text: str) -> str:
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "backslashreplace").decode()
        for character in text
    )

"""One self-contained HTML file with an SVG ladder: nothing is loaded, no script runs, it can be mailed and kept.

A line a record, a lane an actor; whoever wants more of a record opens it below the drawing. What is secret in events is
left out unless asked for, whatever the transcript holds.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from devices.errors import TranscriptError
from devices.events import vocabulary
from devices.transcripts.reader import Frame, Happened, Header, Octets, Record
from devices.transcripts.rungs import Cast, Mark, Rung, rungs
from devices.transcripts.show import record_document
from pairing.engine import Micros

_ROW, _TOP, _LANE, _LEFT, _MARGIN = 22, 44, 130, 110, 20
_CHARACTER = 7.3
_LONGEST = 150
_COLOURS = {"air": "#1a6fb5", "lan": "#2e7d4f", "mesh": "#8a5a00", "ble": "#6a3fb0", "tcp": "#b0503f"}
_STYLE = """
:root { color-scheme: light; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 24px; color: #1c1f23; background: #fff; }
h1 { font-size: 20px; margin: 0 0 4px; } p { margin: 2px 0 14px; color: #555; }
.ladder { overflow-x: auto; border: 1px solid #d8dce1; border-radius: 6px; }
svg { display: block; } text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: #1c1f23; }
.time { fill: #6b7280; } .actor { font-weight: 700; } .lane { stroke: #d8dce1; } .band { fill: #f6f8fa; }
.event { fill: #1c1f23; } .lost { stroke: #c62828; stroke-width: 2; } .lost-text { fill: #c62828; }
.changed { fill: #b45309; } .legend span { margin-right: 16px; white-space: nowrap; }
details { border-bottom: 1px solid #eceff2; padding: 2px 0; } summary { cursor: pointer; }
summary, pre { font: 12px/1.5 ui-monospace, Menlo, Consolas, monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 4px 0 8px 20px; }
"""


def to_html(records: Iterable[Record], sink: Callable[[bytes], object], *, title: str, secrets: bool = False) -> int:
    """Write the document of a transcript; returns how many records there were, the header apart.

    `secrets` keeps what is secret in events, where the transcript has it.
    """
    kept: list[Record] = []
    damage: TranscriptError | None = None
    try:
        kept += (each if secrets else _without_secrets(each) for each in records)
    except TranscriptError as problem:
        damage = problem
    sink(_document(kept, title).encode())
    if damage is not None:
        raise damage
    return sum(not isinstance(each, Header) for each in kept)


def _document(kept: Sequence[Record], title: str) -> str:
    cast = Cast.of(kept)
    header = next((each for each in kept if isinstance(each, Header)), None)
    rows = [each for each in kept if not isinstance(each, Header)]
    about = "" if header is None else f"seed {header.seed}, scenario {header.scenario.hex()[:16]}…, "
    legend = "".join(
        f'<span style="color:{_COLOURS[each]}">━▶ {each}</span>' for each in sorted({*_media(rows)} & {*_COLOURS})
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{_text(title)}</h1>\n"
        f'<p class="legend">{about}{len(rows)} records &nbsp; {legend}<span>◆ event</span><span>✕ lost</span>'
        f"<span>≠ changed by a fault</span></p>\n"
        f'<div class="ladder">{_svg([*rungs(rows, cast)], cast.actors)}</div>\n<h2>Records</h2>\n'
        + "\n".join(_details(number, each, cast) for number, each in enumerate(rows, 1))
        + "\n</body></html>\n"
    )


def _svg(drawn: Sequence[Rung], actors: Sequence[str]) -> str:
    lanes = {actor: _LEFT + _LANE // 2 + _LANE * index for index, actor in enumerate(actors)}
    text_at = _LEFT + _LANE * len(lanes) + _MARGIN
    lines = [_cut(each.text) for each in drawn]
    width = text_at + int(_CHARACTER * max((len(each) for each in lines), default=0)) + _MARGIN
    height = _TOP + _ROW * len(drawn) + _MARGIN
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img">']
    parts += [
        f'<rect class="band" x="0" y="{_TOP + _ROW * row}" width="{width}" height="{_ROW}"/>'
        for row in range(0, len(drawn), 2)
    ]
    for actor, x in lanes.items():
        shown = actor if len(actor) <= 16 else f"{actor[:15]}…"
        parts.append(f'<text class="actor" x="{x}" y="26" text-anchor="middle">{_text(shown)}</text>')
        parts.append(f'<line class="lane" x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{height - 8}"/>')
    for row, (rung, line) in enumerate(zip(drawn, lines, strict=True)):
        y = _TOP + _ROW * row + _ROW // 2
        at = _seconds(rung.at_us)
        parts.append(f'<text class="time" x="{_LEFT - 14}" y="{y + 4}" text-anchor="end">{at}</text>')
        parts.append(_drawn(rung, y, lanes))
        kind = ' class="lost-text"' if rung.mark is Mark.LOST else ""
        parts.append(f'<text{kind} x="{text_at}" y="{y + 4}">{_text(line)}</text>')
    return "\n".join([*parts, "</svg>"])


def _drawn(rung: Rung, y: int, lanes: Mapping[str, int]) -> str:
    if rung.actor not in lanes:
        return ""
    x = lanes[rung.actor]
    match rung.mark:
        case Mark.SENT:
            return _arrows(x, [lanes[each] for each in rung.receivers if each != rung.actor], y, rung.medium)
        case Mark.CHANGED:
            return f'<text class="changed" x="{x}" y="{y + 4}" text-anchor="middle">≠</text>'
        case Mark.LOST:
            return f'<path class="lost" d="M{x - 5} {y - 5}l10 10m0 -10l-10 10"/>'
        case Mark.EVENT:
            return f'<path class="event" d="M{x} {y - 6}l6 6l-6 6l-6 -6z"/>'


def _arrows(start: int, ends: Sequence[int], y: int, medium: str) -> str:
    colour = _COLOURS.get(medium, "#444")
    parts = [f'<circle cx="{start}" cy="{y}" r="3.5" fill="{colour}"/>']
    for end in ends:
        step = 8 if end > start else -8
        parts.append(f'<line x1="{start}" y1="{y}" x2="{end - step}" y2="{y}" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<path d="M{end} {y}l{-step} -4v8z" fill="{colour}"/>')
    return "".join(parts)


def _summary(record: Record, cast: Cast) -> str:
    return _cut(next((each.text for each in rungs([record], cast, hci=True)), ""))


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _details(number: int, record: Record, cast: Cast) -> str:
    document = json.dumps(record_document(record), indent=2, ensure_ascii=False)
    at = _seconds(0 if isinstance(record, Header) else record.at_us)
    head = f"{number}  {at}  {_summary(record, cast)}"
    return f"<details><summary>{_text(head)}</summary><pre>{_text(document)}</pre></details>"


def _media(rows: Iterable[Record]) -> Iterable[str]:
    return ("tcp" if isinstance(each, Octets) else each.medium for each in rows if isinstance(each, Frame | Octets))


def _seconds(at_us: Micros) -> str:
    return f"{at_us // 1_000_000}.{at_us % 1_000_000:06}"


def _without_secrets(record: Record) -> Record:
    if isinstance(record, Octets):
        return dataclasses.replace(record, payload=record.payload.partition(b"\r\n")[0])
    if not isinstance(record, Happened):
        return record
    cls = vocabulary().get(str(record.event["type"]))
    if cls is None:
        # A kind of event from elsewhere: nobody here knows what of it is secret.
        return Happened(record.at_us, {name: record.event[name] for name in ("id", "type", "actor")})
    secret = {each.name for each in dataclasses.fields(cls) if each.metadata.get("secret")}
    return Happened(record.at_us, {name: value for name, value in record.event.items() if name not in secret})


def _text(text: str) -> str:
    """Control and bidirectional characters are escaped: what came from a network is only shown."""
    return escape("".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode()

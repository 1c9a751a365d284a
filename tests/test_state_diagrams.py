"""The diagrams in specs/protocols: of every table of states, current, and with every move drawn or told."""

import importlib.util
import sys
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "draw_states.py"


def _loaded() -> ModuleType:
    found = importlib.util.spec_from_file_location("draw_states", SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look for it there
    found.loader.exec_module(module)
    return module


draw_states = _loaded()
TABLES = list(draw_states.tables())


class _State(Enum):
    IDLE = "idle"
    WAIT_ANSWER = "wait-answer"
    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


class _Input(Enum):
    START = "start"
    ANSWER = "answer"
    RETRY = "retry"
    FAIL = "fail"
    CANCEL = "cancel"


def test_the_pages_are_current(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["draw_states.py", "--check"])
    assert (draw_states.main(), capsys.readouterr().err) == (0, "")


def test_every_engine_with_a_table_is_found() -> None:
    packages = {table.module.__name__.split(".")[1] for table in TABLES}
    assert packages >= {"coap", "dnssd", "dtls", "nan", "pasn", "sae", "thread"}
    assert {table.name for table in TABLES if table.module.__name__.endswith("dtls.states")} == {"CLIENT", "SERVER"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.module.__name__}.{table.name}")
def test_every_state_can_be_reached_from_the_first(table: object) -> None:
    moves, reached = table.moves, [table.states[0]]  # type: ignore[attr-defined]
    for state in reached:
        reached += {end for (start, _), end in moves.items() if start is state and end not in reached}
    assert set(reached) == set(table.states)  # type: ignore[attr-defined]


def test_each_move_is_drawn_or_told() -> None:
    waits = (_State.WAIT_ANSWER, _State.ASKED, _State.IDLE)
    moves = {
        (_State.IDLE, _Input.START): _State.WAIT_ANSWER,
        (_State.WAIT_ANSWER, _Input.ANSWER): _State.ASKED,
        (_State.WAIT_ANSWER, _Input.RETRY): _State.WAIT_ANSWER,
        (_State.ASKED, _Input.RETRY): _State.ASKED,
        (_State.ASKED, _Input.ANSWER): _State.DONE,
        **{(state, given): _State.FAILED for given in (_Input.FAIL, _Input.CANCEL) for state in waits},
    }
    table = draw_states.Table(sys.modules[__name__], "MOVES", moves)
    assert draw_states.diagram(table) == [
        "stateDiagram-v2",
        '    state "wait answer" as wait_answer',
        "    [*] --> idle",
        "    idle --> wait_answer : start",
        "    wait_answer --> asked : answer",
        "    wait_answer --> failed : fail, cancel",
        "    asked --> done : answer",
        "    done --> [*]",
        "    failed --> [*]",
    ]
    assert draw_states.told(table) == [
        "- `fail` and `cancel` lead from *asked* and *idle* to *failed*, too",
        "- `retry` does not leave *wait answer* and *asked*",
    ]


def test_a_page_keeps_what_is_written_by_hand(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{draw_states.BEGIN}\nold\n{draw_states.END}\n\n## After\n")
    text = draw_states.drawn(page, TABLES[:1])
    assert text.startswith(f"# Page\n\n{draw_states.BEGIN}\n\n`")
    assert text.endswith(f"```\n\n- `retry` does not leave *unacknowledged*\n\n{draw_states.END}\n\n## After\n")
    page.write_text("# Page\n")
    assert draw_states.drawn(page, TABLES[:1]).startswith(f"# Page\n\n## State diagrams\n\n{draw_states.BEGIN}\n")

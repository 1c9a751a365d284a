"""The cases measured from a real agent, played against our server over a loopback socket."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pairing.engine import SECOND
from tests.conformance.case_player import CasePlayer, Reply
from tests.support.otbr_node import RunningRouter, running_router
from tests.support.raw_http import exchange

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "otbr-rest" / "cases.json").read_text())
CASES: list[dict[str, Any]] = DOCUMENT["cases"]
CHOSEN_DIFFERENCES: frozenset[str] = frozenset()
"""Cases of level `quirk` in which we differ on purpose; each is explained in specs/protocols/otbr-rest.md."""


def player_for(router: RunningRouter) -> CasePlayer:
    async def ask(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        raw = await exchange(router.port, method, path, headers, body)
        return Reply(raw.status, raw.headers, raw.body)

    async def pass_time(seconds: float) -> None:
        router.node.clock.advance(int(seconds * SECOND))

    return CasePlayer(DOCUMENT, ask, pass_time)


@pytest.mark.asyncio
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
async def test_case_is_answered_as_the_agent_does(case: dict[str, Any]) -> None:
    if case["id"] in CHOSEN_DIFFERENCES:
        assert case["level"] == "quirk"
        return
    async with running_router() as router:
        player = player_for(router)
        await player.enter(case["state"])
        await player.play(case)


def test_the_kit_has_all_its_cases() -> None:
    levels = [case["level"] for case in CASES]
    assert (len(CASES), levels.count("must"), levels.count("should"), levels.count("quirk")) == (73, 66, 7, 0)

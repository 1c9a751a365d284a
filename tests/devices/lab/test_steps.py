"""What steps mean: do, expect, never, count, save, refusals, faults, and the time they take."""

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path

import pytest

from devices.actor import Actor, verb
from devices.errors import ActionRefusedError
from devices.events import ConsentRequested
from devices.home import HomeOptions, LiveHome
from devices.lab.steps import Stage, StepFailedError
from devices.sim.loop import VirtualTimeLoop
from devices.spec import StepSpec, read_home
from tests.support.scenarios import play

LEADER = """
[[step]]
expect = "RoleChanged"
actor = "br"
where = { role = "leader" }
"""
DATASET = (
    "0e08000000000001000000030000144a0300000d35060004001fffe0020859bea2bc42572ced0708fd9c926fe132029c0510e1e896fd2e5ee8"
    "87711f3f87a1c499b70305416674657201021b960410245d530eef70a4282b69d5768be6ec450c0402a0f7f8"
)


def test_expect_waits_for_an_event_and_takes_no_longer_than_that(tmp_path: Path) -> None:
    result = play(tmp_path, LEADER)
    assert result.passed
    assert [(each.at_us, each.took_us) for each in result.steps] == [(0, 1_000_000)]


def test_a_past_event_counts_once(tmp_path: Path) -> None:
    result = play(tmp_path, LEADER + LEADER + 'within = "1s"\n')
    assert result.failure is not None
    assert (result.failure.step, result.failure.reason) == (
        2,
        "no RoleChanged of br where role = 'leader' within 1s",
    )


def test_a_do_puts_the_events_before_it_behind(tmp_path: Path) -> None:
    steps = LEADER.replace("leader", "detached") + '[[step]]\ndo = "disable"\nactor = "br"\n'
    assert play(tmp_path, steps + LEADER.replace("leader", "disabled")).passed
    result = play(tmp_path, steps + LEADER.replace("leader", "detached") + 'within = "1s"\n')
    assert result.failure is not None
    assert result.failure.step == 3


def test_a_failure_names_the_nearest_three_and_skips_the_rest(tmp_path: Path) -> None:
    result = play(tmp_path, LEADER.replace("leader", "child") + 'within = "2s"\n' + LEADER)
    assert result.failure is not None
    assert [each.outcome.value for each in result.steps] == ["failed", "skipped"]
    nearest = [(each.event["type"], list(each.misses)) for each in result.failure.nearest]
    assert nearest[:2] == [("RoleChanged", ["role is 'leader'"]), ("RoleChanged", ["role is 'detached'"])]
    assert len(nearest) == 3
    assert result.failure.nearest[0].text.endswith("RoleChanged of br at 1000000 us: role is 'leader'")


def test_a_failure_shows_what_came_before_it_as_a_ladder_without_what_followed(tmp_path: Path) -> None:
    result = play(tmp_path, LEADER.replace("leader", "child") + 'within = "2s"\n')
    assert result.ladder[0].split() == ["seconds", "br", "phone"]
    assert any("RoleChanged role=leader" in line for line in result.ladder)
    assert not any("goodbye" in line or "power-off" in line for line in result.ladder)


def test_count_asks_for_as_many_events_within_one_time(tmp_path: Path) -> None:
    many = '[[step]]\nexpect = "RoleChanged"\nactor = "br"\ncount = {}\nwithin = "5s"\n'
    assert play(tmp_path, many.format(2)).passed
    result = play(tmp_path, many.format(3))
    assert result.failure is not None
    assert result.failure.reason == "no RoleChanged of br within 5s (2 of 3 came)"
    assert result.steps[0].took_us == 5_000_000


def test_never_covers_what_came_since_the_last_do_and_what_comes(tmp_path: Path) -> None:
    never = '[[step]]\nnever = "RoleChanged"\nwhere = { role = "%s" }\nduring = "3s"\n'
    assert play(tmp_path, never % "child").passed
    for role, at in (("detached", 0), ("leader", 1_000_000)):
        result = play(tmp_path, never % role)
        assert result.failure is not None
        assert f"RoleChanged where role = '{role}' came: event" in result.failure.reason
        assert result.steps[0].took_us == at


def test_never_leaves_out_what_an_expect_has_taken(tmp_path: Path) -> None:
    assert play(tmp_path, LEADER + '[[step]]\nnever = "RoleChanged"\nwhere = { role = "leader" }\n').passed


def test_never_passes_the_whole_time(tmp_path: Path) -> None:
    result = play(tmp_path, LEADER + '[[step]]\nnever = "CredentialStored"\nduring = "2m"\n')
    assert (result.steps[1].took_us, result.steps[1].found) == (120_000_000, "none for 2m")


def test_saved_events_and_actors_fill_later_steps(tmp_path: Path) -> None:
    steps = (
        LEADER
        + 'save = "led"\n'
        + '[[step]]\nexpect = "ServiceUpdated"\nwhere = { instance = "${br.instance}", '
        + 'at_us = { min = 1, max = 1_000_000 }, actor = "${led.actor}" }\n'
    )
    assert play(tmp_path, steps).passed


def test_a_member_that_is_not_there_fails_the_step_and_names_the_near_one(tmp_path: Path) -> None:
    steps = '[[step]]\ndo = "set-dataset"\nactor = "br"\nwith = { dataset = "${br.ext_adress}" }\n'
    result = play(tmp_path, steps)
    assert result.failure is not None
    assert "br has no 'ext_adress' now; did you mean 'ext_address'?" in result.failure.reason


def test_what_a_do_returns_can_be_saved(tmp_path: Path) -> None:
    steps = LEADER + (
        '[[step]]\ndo = "share-code"\nactor = "br"\nsave = "shared"\n'
        '[[step]]\nexpect = "EphemeralKeyActivated"\nwhere = { port = "${shared.port}", code = "${br.code}" }\n'
    )
    assert play(tmp_path, steps).passed


STORE = f"""
[[step]]
do = "store-credential"
actor = "phone"
with = {{ border_agent = "9483C451DC3E", dataset = "{DATASET}" }}
"""


@pytest.mark.parametrize(("key", "passes"), [("", True), ("refused = true\n", True), ("refused = false\n", False)])
def test_a_platforms_refusal_is_a_result_that_a_step_may_judge(tmp_path: Path, key: str, passes: bool) -> None:
    result = play(tmp_path, LEADER + STORE.rstrip() + "\n" + key)
    assert result.passed is passes
    assert "border-agent-id-length: Apple wants the 8 bytes of `xa`; came 6 bytes" in result.steps[1].found


def test_an_acceptance_where_a_refusal_is_expected_fails(tmp_path: Path) -> None:
    result = play(tmp_path, LEADER + '[[step]]\ndo = "disable"\nactor = "br"\nrefused = true\n')
    assert result.failure is not None
    assert result.failure.reason == "was accepted; a refusal was expected"


def test_a_verb_that_its_state_does_not_allow_fails_unless_expected(tmp_path: Path) -> None:
    stop = LEADER + f'[[step]]\ndo = "set-dataset"\nactor = "br"\nwith = {{ dataset = "{DATASET}" }}\n'
    result = play(tmp_path, stop)
    assert result.failure is not None
    assert result.failure.reason.startswith("refused: br: ")
    assert play(tmp_path, stop + "refused = true\n").passed


def test_wrong_arguments_fail_the_step_by_name(tmp_path: Path) -> None:
    result = play(tmp_path, '[[step]]\ndo = "set-dataset"\nactor = "br"\nwith = { dataset = "zz" }\n')
    assert result.failure is not None
    assert "set-dataset" in result.failure.reason


class _Asker(Actor):
    """Its verb `open` waits for `accept`, as a phone waits for its user."""

    answer: "asyncio.Future[str]"

    @verb("open")
    async def _do_open(self) -> str:
        self.answer = asyncio.get_running_loop().create_future()
        self.emit(ConsentRequested(request=1, call="open", app="x"))
        return await self.answer

    @verb("accept")
    async def _do_accept(self) -> None:
        self.answer.set_result("opened")

    @verb("break")
    async def _do_break(self) -> None:
        self.answer.set_exception(ActionRefusedError("broken"))


async def _with_asker(*steps: Mapping[str, object]) -> list[str]:
    live = LiveHome(read_home({}), HomeOptions(virtual=True, seed=1))
    live.accessories["asker"] = _Asker(live.site, "asker", "Asker")  # type: ignore[assignment]  # an actor is enough
    stage = Stage(live)
    try:
        return [await stage.play(StepSpec.model_validate(step)) for step in steps]
    finally:
        await stage.close()


def _on_virtual_time(story: Coroutine[None, None, list[str]]) -> list[str]:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(story)


OPEN = {"do": "open", "actor": "asker"}


def test_a_do_that_asks_its_user_is_accepted_and_a_later_step_answers() -> None:
    found = _on_virtual_time(
        _with_asker(OPEN, {"expect": "ConsentRequested"}, {"do": "accept", "actor": "asker"}, {"never": "PeerLost"})
    )
    assert found == ["accepted; its user is asked", "event 1 of asker", "done", "none for 5s"]


def test_a_verb_that_fails_after_it_was_accepted_fails_the_scenario() -> None:
    with pytest.raises(StepFailedError, match="a verb that was accepted earlier has failed: broken"):
        _on_virtual_time(_with_asker(OPEN, {"do": "break", "actor": "asker"}, {"never": "PeerLost"}))


def test_a_question_that_nobody_answers_ends_with_the_scenario() -> None:
    assert _on_virtual_time(_with_asker(OPEN)) == ["accepted; its user is asked"]


def test_a_verb_that_is_not_accepted_in_time_fails_and_leaves_nothing_behind(tmp_path: Path) -> None:
    result = play(tmp_path, '[[step]]\ndo = "browse"\nactor = "phone"\nwith = { within = "10s" }\nwithin = "2s"\n')
    assert result.failure is not None
    assert result.failure.reason == "browse was not accepted within 2s"
    assert result.duration_us == 2_000_000


def test_faults_start_and_stop_by_steps(tmp_path: Path) -> None:
    steps = LEADER + (
        '[[step]]\ndo = "start-fault"\nwith = { kind = "drop", target = "phone", id = "deaf" }\n'
        '[[step]]\ndo = "restart"\nactor = "br"\n'
        '[[step]]\nexpect = "FaultFired"\nwhere = { fault = "deaf" }\n'
        '[[step]]\nnever = "PeerDiscovered"\nactor = "phone"\nduring = "5s"\n'
        '[[step]]\ndo = "stop-fault"\nwith = { kind = "drop" }\n'
        '[[step]]\nexpect = "FaultEnded"\nwhere = { fault = "deaf", fired = { min = 5 } }\n'
    )
    assert play(tmp_path, steps).failure is None


def test_stopping_a_fault_that_is_not_there_fails(tmp_path: Path) -> None:
    result = play(tmp_path, LEADER + '[[step]]\ndo = "stop-fault"\nwith = { id = "none" }\n')
    assert result.failure is not None
    assert "no fault 'none' is installed" in result.failure.reason


@pytest.mark.parametrize(
    ("fault", "silent"),
    [
        ('kind = "drop"\nid = "f"\ntarget = "phone"\nstart = "1h"\n', ["f"]),
        ('kind = "drop"\nid = "f"\ntarget = "phone"\nstart = "1h"\noptional = true\n', []),
        ('kind = "drop"\nid = "f"\ntarget = "phone"\n', []),
        ('kind = "stale-xp"\nid = "f"\ntarget = "br"\nafter = { event = "DatasetChanged", nth = 9 }\n', ["f"]),
    ],
)
def test_a_fault_that_never_fires_fails_the_scenario(tmp_path: Path, fault: str, silent: list[str]) -> None:
    result = play(tmp_path, LEADER + f"[[fault]]\n{fault}")
    assert list(result.silent_faults) == silent
    assert result.passed is not bool(silent)
    if result.failure is not None:
        assert result.failure.step is None
        assert result.failure.reason.startswith("never fired: f; nothing met it")


def test_a_fault_that_a_step_stops_before_it_fired_fails_too(tmp_path: Path) -> None:
    steps = LEADER + (
        '[[step]]\ndo = "start-fault"\nwith = { kind = "drop", target = "phone", id = "f" }\n'
        '[[step]]\ndo = "stop-fault"\nwith = { id = "f" }\n'
    )
    assert list(play(tmp_path, steps).silent_faults) == ["f"]


def test_advance_lets_time_pass(tmp_path: Path) -> None:
    result = play(tmp_path, '[[step]]\ndo = "advance"\nwith = { duration = "3h" }\n')
    assert result.duration_us == 3 * 3_600_000_000

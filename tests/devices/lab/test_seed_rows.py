"""The scenarios of reported behaviour: their figures by the times of events."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from devices.cli.exec_ import serve
from devices.lab.result import ScenarioResult
from devices.lab.run import run_scenario
from devices.lab.scenario import Scenario, read_scenario
from devices.spec import ScenarioSpec
from devices.transcripts.reader import Fate
from tests.support.needs import requires_private_networks
from tests.support.transcripts import records_of

FOLDER = Path(__file__).parents[3] / "specs" / "scenarios" / "seed"
S = 1_000_000
NIGHT_S = 8 * 3600
PERIOD_S = 900


def _scenario(name: str) -> Scenario:
    return read_scenario(FOLDER / f"{name}.toml")


def _times(result: ScenarioResult, event: str, actor: str) -> Sequence[int]:
    return [each.at_us for each in result.events if (each.type, each.actor) == (event, actor)]


def test_a_lock_screen_stall_is_30_s_of_silence_and_loses_nothing() -> None:
    result = run_scenario(_scenario("f2-stall-of-a-commissioner"))
    (started,) = _times(result, "FaultStarted", "phone")
    begins, ends = started + 10 * S, started + 40 * S
    fired = _times(result, "FaultFired", "phone")
    first = [each for each in fired if each < started + 100 * S]
    assert begins <= first[0] <= begins + S
    assert max(first) < ends
    fates = [each for each in records_of(result.transcript) if isinstance(each, Fate) and each.at_us < ends]
    assert len(fates) == len(first)
    assert {each.arrivals for each in fates} == {(ends,)}
    again = [each for each in fired if each >= started + 100 * S]
    assert started + 310 * S <= again[0] <= started + 311 * S
    assert max(again) < started + 340 * S


def test_a_late_batch_arrives_together_after_60_s() -> None:
    result = run_scenario(_scenario("f3-late-batch"))
    fates = [each for each in records_of(result.transcript) if isinstance(each, Fate)]
    first = fates[0].at_us + 1_000 + 60 * S
    assert len(fates) > 1
    assert {each.arrivals for each in fates if each.at_us < first - 1_000} == {(first,)}
    assert _times(result, "PeerDiscovered", "phone")[0] == first


def test_a_link_that_is_down_costs_the_sender_nothing_but_the_answer() -> None:
    result = run_scenario(_scenario("f7-link-down-silent"))
    told = [each["what"] for each in result.events if each.type == "FaultFired"]
    assert told
    assert all(each.startswith("dropped: link down (50): installer to br, ") for each in told)
    assert _times(result, "HandshakeStarted", "br") == []


def test_a_dark_wake_comes_900_s_after_falling_asleep_with_a_full_handshake() -> None:
    result = run_scenario(_scenario("f6-dark-wake"))
    (asleep,) = _times(result, "FaultStarted", "laptop")
    fired = _times(result, "FaultFired", "laptop")
    assert asleep + 20 * S == fired[0]
    awake = asleep + PERIOD_S * S
    assert not [each for each in fired if awake <= each < awake + 5 * S]
    before, after = _times(result, "HandshakeCompleted", "br")
    assert before < asleep
    assert awake < after < awake + 5 * S
    accepted, lost = _times(result, "PetitionAccepted", "br"), _times(result, "CommissionerLost", "br")
    assert [gone - there for there, gone in zip(accepted, lost, strict=True)] == [pytest.approx(50 * S, abs=S)] * 2


def test_a_night_of_dark_wakes_counts_a_handshake_and_a_loss_each() -> None:
    scenario = _scenario("f6-dark-wake")
    tables = scenario.spec.model_dump(by_alias=True, exclude_unset=True)
    asleep, wake = tables["step"][:4], tables["step"][4:]
    rest = {"do": "advance", "with": {"duration": f"{PERIOD_S - 53}s"}}
    wakes = NIGHT_S // PERIOD_S
    steps = [*asleep, *wake]
    for _ in range(wakes - 1):
        # A wake's own first step counts from a loss, 50 s after the petition.
        steps += [rest, *wake[1:]]
    spec = ScenarioSpec.model_validate({**tables, "step": steps})
    result = run_scenario(replace(scenario, spec=spec))
    assert result.failure is None, result.failure
    assert result.duration_us > NIGHT_S * S
    for event in ("HandshakeCompleted", "PetitionAccepted", "CommissionerLost"):
        assert len(_times(result, event, "br")) == 1 + wakes


def test_a_program_without_the_local_network_is_not_heard_until_it_is_granted() -> None:
    requires_private_networks()
    result = run_scenario(_scenario("f4-local-network-denied"), serve=serve)
    assert result.failure is None, (result.failure, result.client_output)
    began, ended = _times(result, "FaultStarted", "client"), _times(result, "FaultEnded", "client")
    assert ended[1] - began[1] == pytest.approx(1_500_000, abs=500_000)
    heard = _times(result, "RequestReceived", "br")
    for start, end in zip(began, ended, strict=True):
        assert not [each for each in heard if start < each < end]
        assert [each for each in heard if each > end]
    said = "\n".join(result.client_output)
    assert "search: [Errno 113] No route to host" in said
    assert "watch: ConnectionResetError(104, 'Connection reset by peer')" in said
    assert "watch: OSError(113, 'No route to host')" in said

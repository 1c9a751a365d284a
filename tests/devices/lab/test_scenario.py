"""Scenario files are checked as a whole before anything runs: each mistake is named, with its step and the mend."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.errors import ScenarioError
from devices.lab.scenario import read_scenario
from tests.support.scenarios import HOME, scenario_file
from tests.support.transcripts import records_of

_KEYS = st.sampled_from(
    ["kind", "target", "id", "after", "event", "duration", "dataset", "role", "min", "matches", "x"]
)
LEADER = """
[[step]]
expect = "RoleChanged"
"""


def _step(text: str) -> str:
    return f"[[step]]\n{text}\n"


def _do(verb: str, actor: str, arguments: str = "") -> str:
    return _step(f'do = "{verb}"\nactor = "{actor}"\nwith = {{ {arguments} }}')


def _start(arguments: str) -> str:
    return _step(f'do = "start-fault"\nwith = {{ {arguments} }}')


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[[step]\n", r"story\.toml: is not TOML: .*line"),
        ("[[step]]\ndo = 'x", "is not TOML"),
        ("", "there is nothing to do"),
        (_do("browze", "phone"), r"step 1 \(do browze \(phone\)\): phone has no verb 'browze'; did you mean 'browse'"),
        (_do("browse", "br"), "br has no verb 'browse'; known: .*set-dataset"),
        (
            _step('expect = "RoleChaned"'),
            r"step 1 \(expect RoleChaned\): no event is called .*did you mean 'RoleChanged'",
        ),
        (_step('never = "CredentialRefusd"'), "no event is called .*did you mean 'CredentialRefused'"),
        (_do("enable", "bra"), "nobody called 'bra' in this home; did you mean 'br'"),
        (_step('expect = "RoleChanged"\nactor = "bra"'), "nobody called 'bra' in this home; did you mean 'br'"),
        (_step('expect = "RoleChanged"\nwithin = "soon"'), r"step\.0\.within: a duration is a number with us, ms, s"),
        (_step('do = "advance"\nwith = { duration = "1 day" }'), "step 1 .*: a duration is a number with"),
        (_step('do = "advance"\nwith = { by = "1s" }'), "advance takes one argument"),
        (LEADER + 'where = { rolle = "x" }', r"where\.rolle: RoleChanged has no such member; did you mean 'role'"),
        (LEADER + 'where = { role = { like = "x" } }', r"where\.role: a condition has min, max or matches"),
        (_do("set-dataset", "br", 'data = "00"'), "set-dataset has no argument 'data'; did you mean 'dataset'"),
        (_do("set-dataset", "br"), "set-dataset needs dataset: with = { dataset = … }"),
        (_do("enable", "br", "x = 1"), "enable has no argument 'x'; it takes none"),
        (_do("set-dataset", "br", 'dataset = "${x.y}"'), "nobody is called 'x' and nothing was saved so"),
        (_do("set-dataset", "br", 'dataset = "${br}"'), r"is no placeholder; write \${name.member}"),
        (LEADER + 'save = "br"', "save = 'br' is the id of somebody in the home"),
        (_start('kind = "dorp"'), "'dorp' is no wire fault and no lie of '.*did you mean 'drop'"),
        (_start('kind = "drop", target = "x"'), "fault drop: nobody called 'x'"),
        (_start('kind = "delay", delay = "x"'), "fault delay: a duration is a number with"),
        (_start('kind = "stale-xp", target = "br", xp = "12"'), "lie stale-xp: "),
        (_step('do = "stop-fault"\nwith = { nme = "x" }'), "stop-fault takes with = { id ="),
        (LEADER + '[[fault]]\nkind = "zero-ttls"\ntarget = "phone"', "is no wire fault and no lie of 'phone'"),
        (LEADER + '[[fault]]\nkind = "drop"\nafter = { event = "Nothing" }', "no event is called 'Nothing'"),
        (LEADER + '[[accessory]]\nkind = "toaster"', "accessory 'toaster': there is no kind 'toaster'"),
    ],
)
def test_a_mistake_is_named_before_anything_runs(tmp_path: Path, steps: str, message: str) -> None:
    path = scenario_file(tmp_path, steps)
    with pytest.raises(ScenarioError, match=message) as caught:
        read_scenario(path)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_step_may_use_what_an_earlier_one_saved_but_not_a_later_one(tmp_path: Path) -> None:
    use = _step('do = "set-dataset"\nactor = "br"\nwith = { dataset = "${seen.role}" }')
    saved = _step('expect = "RoleChanged"\nsave = "seen"')
    read_scenario(scenario_file(tmp_path, saved + use))
    with pytest.raises(ScenarioError, match=r"step 1 .*nothing was saved so"):
        read_scenario(scenario_file(tmp_path, use + saved))


def test_with_a_client_an_event_may_belong_to_an_accessory_that_it_adds(tmp_path: Path) -> None:
    steps = _step('expect = "RoleChanged"\nactor = "added-later"')
    client = '[client]\ncommand = ["true"]\n'
    assert not read_scenario(scenario_file(tmp_path, client + steps)).virtual


def test_the_hash_of_a_scenario_covers_the_home_it_names(tmp_path: Path) -> None:
    from devices.lab.run import run_scenario

    home = tmp_path / "home.toml"
    path = scenario_file(tmp_path, LEADER, home='home = "home.toml"\nseed = 1\n')
    hashes = []
    for name in ("One", "Two"):
        home.write_text(f'[[accessory]]\nkind = "thread-border-router"\nname = "{name}"\n', encoding="utf-8")
        scenario = read_scenario(path)
        header = records_of(run_scenario(scenario).transcript)[0]
        assert header.scenario == hashlib.sha256(path.read_bytes() + home.read_bytes()).digest()  # type: ignore[union-attr]
        hashes.append(header.scenario)  # type: ignore[union-attr]
    assert hashes[0] != hashes[1]


_VALUES = st.recursive(
    st.booleans()
    | st.integers(-5, 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.sampled_from(["br", "phone", "drop", "stale-xp", "5s", "${br.x}", "${", "leader", "(", ""])
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)
_TABLES = st.dictionaries(_KEYS, _VALUES, max_size=4)
_STEP_TABLES = st.one_of(
    st.fixed_dictionaries({"do": st.sampled_from(["advance", "start-fault", "stop-fault"]), "with": _TABLES}),
    st.fixed_dictionaries({"do": st.just("set-dataset"), "actor": st.just("br"), "with": _TABLES}),
    st.fixed_dictionaries({"expect": st.just("RoleChanged"), "where": _TABLES}),
    st.dictionaries(st.sampled_from(["do", "expect", "never", "actor", "with", "where", "count"]), _VALUES, max_size=4),
)


@given(st.lists(_STEP_TABLES, max_size=3), st.lists(_TABLES, max_size=1))
@settings(max_examples=200)
def test_any_tables_are_a_scenario_or_a_scenario_error(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[str, Any]], faults: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    home = tomllib.loads(HOME)
    path.write_text(tomli_w.dumps({**home, "step": steps, "fault": faults}), encoding="utf-8")
    told = str(path)
    try:
        read_scenario(path)
    except ScenarioError as problem:
        told = str(problem)
    assert told.startswith(str(path))

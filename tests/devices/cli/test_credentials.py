"""`pairlab credentials`: verdicts on a public report's arguments, and the store on disk."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devices.stores.state import DATABASE_NAME, StateDirectory
from tests.support.command_line import POST_9, Ran, home_up, run, run_process

MAC = "9483C451DC3E"
XA = "9683c4fffe51dc3e"
ID = "00112233445566778899aabbccddeeff"
NAME = f"Credentials Live {os.getpid()}"
SECRETS = ("4094dce45388fd3d3426e992cbf0697b", "6c9f919a4da9b213764fc83f84938108")


def test_the_reported_case_is_refused_with_every_reason(capsys: pytest.CaptureFixture[str]) -> None:
    checked = run(capsys, "credentials", "check", "--platform", "apple", "--border-agent", MAC, "--dataset", POST_9)
    assert checked.code == 1
    rows = checked.rows
    assert rows["verdict"] == "refused"
    assert rows["rule"] == "border-agent-id-length"
    assert "8 bytes of `xa`" in rows["expected"]
    assert "6 bytes" in rows["came"]
    assert "48-bit MAC" in rows["came"]
    assert "NSCocoaErrorDomain 4099" in rows["symptom"]
    assert "3c66f0dc9ef53f1c" in rows["hint"]


@pytest.mark.parametrize(
    ("platform", "agent", "code"),
    [("ios-26", XA, 0), ("google", ID, 0), ("android-16", XA, 1), ("ios-27", ID, 1), ("home-assistant", "", 0)],
)
def test_each_platform_wants_its_own_id(
    capsys: pytest.CaptureFixture[str], platform: str, agent: str, code: int
) -> None:
    arguments = ["--border-agent", agent] if agent else []
    checked = run(capsys, "credentials", "check", "--platform", platform, *arguments, "--dataset", POST_9, "--json")
    assert checked.code == code
    assert set(checked.document) == {"verdict", "rule", "expected", "came", "symptom", "hint"}


def test_no_verdict_holds_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    for dataset in (POST_9, POST_9[:-2], POST_9 + "zz", POST_9[20:]):
        ran = run(capsys, "credentials", "check", "--platform", "apple", "--border-agent", XA, "--dataset", dataset)
        assert not any(secret in ran.out + ran.err for secret in SECRETS)


def test_live_reads_the_right_value_from_the_router_of_that_network(tmp_path: Path) -> None:
    home = tmp_path / "home.toml"
    home.write_text(
        f'[[accessory]]\nkind = "thread-border-router"\nname = "{NAME}"\ndataset = "{POST_9}"\n'
        f'ext_address = "0abbccddeeff0011"\nattach = "0.1s"\nrest_port = 0\n'
    )
    with home_up(tmp_path, str(home)) as running:
        running.until("ServicePublished", service_type="_meshcop._udp")
        base = ("credentials", "check", "--platform", "apple", "--live", "--seconds", "2", "--dataset", POST_9)
        with ThreadPoolExecutor() as both:  # each listens for its two seconds
            ids = (MAC, "0abbccddeeff0011")
            refused, accepted = both.map(lambda each: run_process(tmp_path, *base, "--border-agent", each), ids)
    assert f"0abbccddeeff0011 (`xa` of '{NAME}')" in refused.rows["hint"]
    assert (accepted.code, accepted.rows["rule"]) == (0, "live-record-matches")


class Store:
    """A state folder and the command on it."""

    def __init__(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        self._capsys = capsys
        self._folder = folder

    def __call__(self, what: str, *arguments: str) -> Ran:
        platform = () if "--platform" in arguments else ("--platform", "ios-26")
        return run(self._capsys, "credentials", what, *platform, "--store", str(self._folder), *arguments)


@pytest.fixture
def store(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Store:
    return Store(capsys, tmp_path / "state")


def test_what_was_stored_is_read_back_and_deleted(store: Store) -> None:
    assert store("store", "--border-agent", XA, "--dataset", POST_9).code == 0
    found = store("get", "--border-agent", XA, "--secrets", "--json").document["value"]
    assert found["active_operational_dataset"] == POST_9
    assert found["preferred"] is True
    assert [each["border_agent_id"] for each in store("list", "--json").document["value"]] == [XA]
    assert store("delete", "--border-agent", XA).code == 0
    assert store("list", "--json").document["value"] == []


def test_keys_are_shown_only_when_asked_for(store: Store) -> None:
    store("store", "--border-agent", XA, "--dataset", POST_9)
    for what in (("get", "--preferred"), ("list",), ("list", "--json"), ("get", "--border-agent", XA, "--json")):
        hidden, shown = store(*what), store(*what, "--secrets")
        assert not any(secret in hidden.out for secret in SECRETS)
        assert all(secret in shown.out for secret in SECRETS)


def test_another_team_does_not_read_it(store: Store) -> None:
    store("store", "--border-agent", XA, "--dataset", POST_9)
    other = store("get", "--border-agent", XA, "--team", "OTHER00001")
    assert (other.code, other.rows["rule"]) == (1, "other-owner")


def test_a_refused_store_changes_nothing(store: Store) -> None:
    assert store("store", "--border-agent", MAC, "--dataset", POST_9).code == 1
    assert store("list", "--json").document["value"] == []


def test_what_home_assistant_discards_is_a_no(store: Store) -> None:
    assert store("store", "--platform", "home-assistant", "--dataset", POST_9).code == 0
    older = POST_9.replace("0e080000000000010000", "0e080000000000000000")
    discarded = store("store", "--platform", "home-assistant", "--dataset", older)
    assert (discarded.code, discarded.rows["verdict"]) == (1, "discarded")


def test_the_file_is_its_users_alone_and_a_home_can_open_it(store: Store, tmp_path: Path) -> None:
    store("store", "--border-agent", XA, "--dataset", POST_9)
    assert stat.S_IMODE((tmp_path / "state" / DATABASE_NAME).stat().st_mode) == 0o600
    with StateDirectory(tmp_path / "state") as state:
        assert state.load("br") is None
        with state.credential_rows("phone").transaction() as transaction:
            assert [row.border_agent_id.hex() for row in transaction.rows] == [XA]


@pytest.mark.parametrize(
    "arguments",
    [
        ("get",),
        ("get", "--preferred", "--border-agent", XA),
        ("delete",),
        ("get", "--platform", "home-assistant", "--preferred"),
    ],
)
def test_a_question_without_a_subject_is_wrong_usage(store: Store, arguments: tuple[str, ...]) -> None:
    ran = store(*arguments)
    assert (ran.code, ran.out) == (2, "")


def test_a_damaged_store_is_named_and_left_alone(store: Store, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    damaged = tmp_path / "state" / DATABASE_NAME
    damaged.write_bytes(b"no database at all, but long enough to be looked at")
    ran = store("list")
    assert (ran.code, str(damaged) in ran.err) == (3, True)
    assert damaged.read_bytes().startswith(b"no database")

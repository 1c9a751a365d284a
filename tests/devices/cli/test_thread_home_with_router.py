"""`pairlab thread` against a home that is a process of its own, through its control API and by Bonjour."""

from collections.abc import Iterator

import pytest

from tests.support.command_line import RunningHome, home_up, run
from tests.support.thread_network import DATASET

HOME = f"""
name = "Thread"
[[accessory]]
id = "br"
kind = "thread-border-router"
name = "Conservatory"  # a name of its own: other homes may be up on this host
attach = "200ms"
dataset = "{DATASET.hex()}"

[[accessory]]
id = "light"
kind = "thread-light"
name = "Desk Light"
attach = "200ms"
join = true
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHome]:
    folder = tmp_path_factory.mktemp("thread")
    (folder / "thread.toml").write_text(HOME)
    with home_up(folder, str(folder / "thread.toml"), "--seed", "5") as running:
        running.until("RoleChanged", actor="br", role="leader")
        yield running


def test_a_shell_petitions_reads_changes_lets_a_light_in_and_resigns(
    capsys: pytest.CaptureFixture[str], home: RunningHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRLAB_URL", home.ready["api"])
    done = run(capsys, "thread", "petition")
    assert (done.code, "pairlab is the active Commissioner at 127.0.0.1:" in done.out) == (0, True), done.err
    assert "next: pairlab thread get" in done.out
    assert run(capsys, "thread", "get", "--hex").out == f"{DATASET.hex()}\n"
    assert run(capsys, "thread", "set", "network_name=Attic").code == 0
    home.until("DatasetChanged", cause="commissioner", network_name="Attic")
    refused = run(capsys, "thread", "set", "channel=20")
    assert (refused.code, refused.rows["refused"]) == (1, "affects-connectivity")
    label = next(each["shows"] for each in home.ready["accessories"] if each["id"] == "light")
    joined = run(capsys, "thread", "enable-joiner", label["qr"], "--lifetime", "30")
    assert (joined.code, joined.out.endswith("has joined\n")) == (0, True), joined.err
    home.until("ChildAttached", actor="br")
    assert run(capsys, "thread", "resign").out == "resigned\n"
    again = run(capsys, "thread", "resign")
    assert (again.code, "petition" in again.err) == (1, True)


def test_a_shell_shares_and_fetches_by_code(
    capsys: pytest.CaptureFixture[str], home: RunningHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIRLAB_URL", home.ready["api"])
    shared = run(capsys, "thread", "share", "--json")
    code = shared.document["value"]["code"]
    fetched = run(capsys, "thread", "fetch", code, "--name", "Conservatory")
    assert (fetched.code, b"Attic".hex() in fetched.out) == (0, True), fetched.err
    over = run(capsys, "thread", "fetch", code, "--json")
    assert (over.code, over.document["verdict"]["rule"]) == (1, "no-code-active")
    assert run(capsys, "thread", "share", "br").rows["for"] == "120 s, one use"
    assert run(capsys, "thread", "share", "--stop").out == "no code is open\n"


def test_any_border_router_is_found_by_the_name_that_bonjour_shows(
    capsys: pytest.CaptureFixture[str], home: RunningHome
) -> None:
    pskc = (DATASET.pskc or b"").hex()
    got = run(capsys, "thread", "get", "--name", "Conservatory", "--pskc", pskc, "--json")
    assert (got.code, got.document["value"]["ext_pan_id"]) == (0, "1122334455667788"), got.err

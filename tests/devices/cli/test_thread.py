"""`pairlab thread` at an address: our Border Agent behind a real socket, no home anywhere."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from pairing.dtls.events import HandshakeFailed
from pairing.engine import SECOND
from pairing.thread.dataset import Dataset
from pairing.thread.meshcop_events import JoinerEntrusted
from pairing.thread.network_events import CommissionerLost, JoinerEnabled, PetitionAccepted
from tests.support.command_line import Ran, run
from tests.support.meshcop import PSKC
from tests.support.thread_network import DATASET
from tests.support.udp_border_agent import BackgroundBorderAgent, join_by

KEY = PSKC.hex()


@pytest.fixture
def agent() -> Iterator[BackgroundBorderAgent]:
    with BackgroundBorderAgent() as running:
        yield running


def thread(capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent, verb: str, *more: str) -> Ran:
    """A command at the agent's address, with the right key unless another is given."""
    key = () if {"--pskc", "--code", "--passphrase"} & set(more) else ("--pskc", KEY)
    return run(capsys, "thread", verb, "--address", agent.address, *key, "--patience", "1", *more)


def test_get_prints_the_dataset_and_tells_its_stages(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent
) -> None:
    got = thread(capsys, agent, "get")
    assert (got.code, got.rows["Network Name"]) == (0, DATASET.network_name)
    assert got.err.splitlines() == [f"connecting to {agent.address} …", "reading the active dataset …"]
    assert thread(capsys, agent, "get", "--hex").out == f"{DATASET.hex()}\n"
    none = thread(capsys, agent, "get", "pending")
    assert (none.code, none.out, "no pending dataset" in none.err) == (0, "", True)
    read = thread(capsys, agent, "get", "--json")
    assert (read.document["value"]["dataset"], read.err) == (DATASET.hex(), "")
    told = thread(capsys, agent, "get", "commissioner")
    assert (told.code, told.rows["steering data"]) == (0, "00")


def test_set_changes_fields_and_explains_a_refusal(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent
) -> None:
    assert thread(capsys, agent, "set", "network_name=Attic").out == "the Leader has accepted the active dataset\n"
    assert agent.agent.network.network_name == "Attic"
    refused = thread(capsys, agent, "set", "channel=20")
    assert (refused.code, refused.rows["refused"]) == (1, "affects-connectivity")
    assert "Pending Dataset" in refused.rows["hint"]
    later = thread(capsys, agent, "set", "--pending", "channel=20", "delay_timer_ms=60000")
    assert later.code == 0
    old = Dataset.from_hex("0e080000000000010000").hex()
    stale = thread(capsys, agent, "set", old, "--json")
    assert (stale.code, stale.document["verdict"]["rule"]) == (1, "active-timestamp-not-newer")
    agent.call(lambda: agent.agent.happened(CommissionerLost, 4))
    assert agent.agent.network.commissioning.active is None


def test_petition_resigns_at_the_end_and_names_who_is_in_the_way(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent
) -> None:
    done = thread(capsys, agent, "petition", "--id", "installer")
    assert (done.code, done.out.startswith("installer is the active Commissioner at ")) == (0, True)
    lost = agent.call(lambda: agent.agent.happened(CommissionerLost))
    assert isinstance(lost, CommissionerLost)
    assert lost.reason == "resigned"

    async def hold() -> None:
        agent.agent.network.petition("somebody", agent.agent.clock.now())

    agent.call(hold)
    refused = thread(capsys, agent, "petition")
    assert (refused.code, refused.rows["came"]) == (1, "'somebody' is active")
    assert thread(capsys, agent, "set", "channel=20", "--json").document["verdict"]["rule"] == "commissioner-active"


def test_petition_that_is_held_ends_when_the_place_is_lost(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent
) -> None:
    def end() -> None:
        agent.agent.driver.do(lambda engine, now: engine.close(now))

    agent.agent.when[PetitionAccepted] = end
    held = thread(capsys, agent, "petition", "--hold")
    assert (held.code, "until Ctrl-C" in held.out) == (1, True)
    assert "no longer the active Commissioner: disconnected" in held.err


def test_a_wrong_key_and_a_closed_port_are_different_answers(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent
) -> None:
    wrong = thread(capsys, agent, "get", "--pskc", "0f" * 16)
    assert (wrong.code, wrong.rows["refused"]) == (1, "wrong-pskc")
    closed = run(capsys, "thread", "get", "--address", "127.0.0.1:9", "--pskc", KEY, "--patience", "1")
    assert (closed.code, closed.rows["refused"]) == (1, "nobody-listens")


def test_a_key_comes_from_a_file_the_environment_or_standard_input(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pskc"
    file.write_text(f"{KEY}\n")
    assert thread(capsys, agent, "get", "--pskc", f"@{file}").code == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{KEY}\n"))
    assert thread(capsys, agent, "get", "--pskc", "-").code == 0
    monkeypatch.setenv("PAIRLAB_PSKC", KEY)
    assert run(capsys, "thread", "get", "--address", agent.address).code == 0
    monkeypatch.delenv("PAIRLAB_PSKC")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    missing = run(capsys, "thread", "get", "--address", agent.address)
    assert (missing.code, "PAIRLAB_PSKC" in missing.err) == (2, True)
    assert KEY not in missing.err


def test_fetch_prints_the_dataset_of_a_code(capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent) -> None:
    code, place = agent.call(lambda: agent.agent.share(120 * SECOND))
    fetched = run(capsys, "thread", "fetch", f"{code[:3]} {code[3:6]} {code[6:]}", "--address", place)
    assert (fetched.code, fetched.out) == (0, f"{DATASET.hex()}\n")


def test_fetch_warns_of_a_mistyped_code_and_tries_it(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent
) -> None:
    _, place = agent.call(lambda: agent.agent.share(120 * SECOND))
    wrong = run(capsys, "thread", "fetch", "123456789", "--address", place, "--patience", "1")
    assert (wrong.code, wrong.rows["refused"]) == (1, "wrong-code")
    assert "mistyped" in wrong.err


def test_enable_joiner_waits_until_its_time_is_over(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent
) -> None:
    waited = thread(capsys, agent, "enable-joiner", "18b4300000000002", "J01NME", "--lifetime", "1", "--json")
    assert (waited.code, waited.document["joined"], waited.document["reason"]) == (1, False, "expired")
    wrong = thread(capsys, agent, "enable-joiner", "any", "IO")
    assert (wrong.code, "6 to 32 characters" in wrong.err) == (2, True)
    assert [each for each in agent.agent.events if isinstance(each, JoinerEnabled)] == []


@pytest.mark.parametrize("whom", [("18b4300000000002", "J01NME"), ("v=1&&eui=18b4300000000002&&cc=J01NME",)])
def test_enable_joiner_lets_a_joiner_in(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent, whom: tuple[str, ...]
) -> None:
    agent.call(lambda: join_by(agent.agent, bytes.fromhex("18b4300000000002"), "J01NME"))
    joined = thread(capsys, agent, "enable-joiner", *whom)
    assert (joined.code, joined.out) == (0, "18b4300000000002 has joined\n")
    assert joined.err.splitlines()[-2:] == ["the joiner has proved its PSKd …", "the joiner says who made it …"]
    entrusted = agent.call(lambda: agent.agent.happened(JoinerEntrusted, 2))  # the router tells it first
    assert isinstance(entrusted, JoinerEntrusted)
    assert Dataset.decode(entrusted.tlvs).network_key == DATASET.network_key


def test_a_joiner_with_another_pskd_does_not_join(
    capsys: pytest.CaptureFixture[str], agent: BackgroundBorderAgent
) -> None:
    agent.call(lambda: join_by(agent.agent, bytes.fromhex("18b4300000000002"), "0THERPSKD"))
    refused = thread(capsys, agent, "enable-joiner", "any", "J01NME", "--lifetime", "1")
    assert (refused.code, refused.rows["refused"], "another PSKd" in refused.err) == (1, "not joined: expired", True)
    assert isinstance(agent.call(lambda: agent.agent.happened(HandshakeFailed)), HandshakeFailed)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("get", "everything"), 2, "get active, pending or commissioner"),
        (("get", "--address", "here", "--pskc", "0f"), 2, "HOST:PORT"),
        (("get", "--address", "127.0.0.1:1", "--pskc", "0g"), 2, "hex digits"),
        (("get", "--address", "127.0.0.1:1", "--target", "br", "--pskc", "0f"), 2, "--target is"),
        (("set", "colour", "--address", "127.0.0.1:1", "--pskc", "0f"), 1, "hexadecimal"),
        (("set", "a=1", "b", "--address", "127.0.0.1:1", "--pskc", "0f"), 2, "FIELD=VALUE"),
        (("get", "--url", "http://127.0.0.1:9"), 3, "no home answers"),
        (("get", "--address", "127.0.0.1:1", "--pskc", "@/no/such/file"), 2, "/no/such/file"),
    ],
)
def test_wrong_usage_says_what_is_right(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = run(capsys, "thread", *arguments)
    assert (ran.code, said in ran.err) == (code, True), ran.err

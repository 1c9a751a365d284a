"""`pairlab clone` of a running home, read by python-otbr-api and python-zeroconf; brought up again it says the same."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.clone.bonjour import portrait_of
from devices.errors import EmulatorError, UsageError
from devices.spec import load_home
from pairing.dnssd.service import ResolvedService
from pairing.thread.dataset import Dataset
from tests.support.command_line import POST_9, RunningHome, home_up, run, run_process

NAME = f"Clone Me {os.getpid()}"
KEY = "4094dce45388fd3d3426e992cbf0697b"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHome]:
    folder = tmp_path_factory.mktemp("original")
    home = folder / "home.toml"
    home.write_text(
        f'[[accessory]]\nid = "br"\nkind = "thread-border-router"\nname = "{NAME}"\ndataset = "{POST_9}"\n'
        'vendor = "GL.iNET Inc."\nmodel = "GL-S20"\nvendor_oui = "9483c4"\nthread_version = "1.3.0"\n'
        'attach = "0.1s"\nrest_port = 0\n'
    )
    with home_up(folder, str(home)) as running:
        running.until("ServicePublished", service_type="_meshcop._udp")
        yield running


def url_of(home: RunningHome) -> str:
    return str(home.ready["accessories"][0]["endpoints"]["rest"])


def seen(folder: Path) -> dict[str, Any]:
    """The TXT record of each instance as another process sees it."""
    services = run_process(folder, "browse", "_meshcop._udp", "--json", "--seconds", "2").document["services"]
    return {each["instance"]: dict(each["txt"]) for each in services}


def test_a_clone_by_rest_brought_up_again_advertises_equal_txt(original: RunningHome, tmp_path: Path) -> None:
    file = tmp_path / "clone.toml"
    cloned = run_process(tmp_path, "clone", "otbr", url_of(original), "-o", str(file), "--seconds", "2")
    assert (cloned.code, cloned.err) == (0, "")
    assert KEY not in file.read_text()
    file.write_text(file.read_text().replace(f'name = "{NAME}"', f'attach = "0.1s"\nname = "{NAME} Twin"'))
    with home_up(tmp_path, str(file)) as twin:
        twin.until("ServicePublished", service_type="_meshcop._udp")
        both = seen(tmp_path)
    assert both[f"{NAME} Twin"] == both[NAME]


def test_a_clone_with_secrets_holds_the_dataset_and_loopback(original: RunningHome, tmp_path: Path) -> None:
    file = tmp_path / "clone.toml"
    run_process(tmp_path, "clone", "otbr", url_of(original), "--secrets", "-o", str(file), "--seconds", "0.1")
    home = load_home(file)
    assert (home.reach, home.real_secrets) == ("loopback", True)
    assert Dataset.from_hex(home.accessory[0].settings["dataset"]).same_tlvs(Dataset.from_hex(POST_9))


def test_a_clone_by_bonjour_has_the_record_and_keys_of_its_own(original: RunningHome, tmp_path: Path) -> None:
    cloned = run_process(tmp_path, "clone", "bonjour", NAME.lower(), "--json", "--seconds", "2")
    (accessory,) = cloned.document["accessory"]
    assert (accessory["name"], accessory["vendor"], accessory["model"]) == (NAME, "GL.iNET Inc.", "GL-S20")
    assert accessory["dataset"]["ext_pan_id"] == "3c66f0dc9ef53f1c"
    assert accessory["dataset"]["network_key"] != KEY


def test_without_a_file_the_home_goes_to_stdout(original: RunningHome, tmp_path: Path) -> None:
    cloned = run_process(tmp_path, "clone", "otbr", url_of(original), "--seconds", "0.1")
    file = tmp_path / "clone.toml"
    file.write_text(cloned.out)
    assert load_home(file).accessory[0].kind == "thread-border-router"


def test_an_existing_file_is_not_replaced(original: RunningHome, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("mine")
    ran = run_process(tmp_path, "clone", "otbr", url_of(original), "-o", str(file), "--seconds", "0.1")
    assert (ran.code, file.read_text()) == (2, "mine")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "http://[::1", "not a url"])
def test_what_is_no_url_is_wrong_usage(capsys: pytest.CaptureFixture[str], url: str) -> None:
    ran = run(capsys, "clone", "otbr", url, "--reach", "loopback")
    assert (ran.code, ran.out) == (2, "")
    assert "http://192.0.2.1:8081" in ran.err


def test_a_port_where_nobody_listens_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers, nobody else takes it
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        ran = run(capsys, "clone", "otbr", url, "--reach", "loopback")
    assert (ran.code, ran.out) == (1, "")
    assert url in ran.err


def test_the_control_api_is_no_border_router(original: RunningHome, tmp_path: Path) -> None:
    ran = run_process(tmp_path, "clone", "otbr", original.ready["api"])
    assert (ran.code, ran.out) == (1, "")
    assert "no border router" in ran.err


def service(instance: str, txt: bytes | None = b"\x04nn=A") -> ResolvedService:
    return ResolvedService(instance, "_meshcop._udp", "host", 1, txt)


def test_a_name_that_nobody_has_lists_who_is_there() -> None:
    with pytest.raises(EmulatorError, match="'Kitchen'"):
        portrait_of("Living Room", [service("Kitchen")])


def test_a_name_that_several_have_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="2 border routers"):
        portrait_of("a", [service("One"), service("Two")])


def test_a_router_without_txt_cannot_be_cloned() -> None:
    with pytest.raises(EmulatorError, match="TXT"):
        portrait_of("One", [service("One", None)])

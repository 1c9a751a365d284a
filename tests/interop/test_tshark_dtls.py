"""A session of a Commissioner, exported: tshark decrypts it with the keys in the capture, and reads its CoAP."""

import subprocess
from io import BytesIO
from pathlib import Path

import pytest

from devices.transcripts.export import to_pcapng
from devices.transcripts.reader import read_transcript
from pairing.dtls.settings import DtlsSettings
from tests.support.dtls_pair import with_extended_master_secret
from tests.support.meshcop_wire import PORTS
from tests.support.needs import requires_tools
from tests.support.recorded_session import recorded_session
from tests.support.thread_network import DATASET

pytestmark = pytest.mark.interop

PATHS = ["/c/cp", "/c/ag", "/c/ut", "/c/ur", "/c/ca"]
SETTINGS = {
    "plain": DtlsSettings(),
    "extended-master-secret": with_extended_master_secret(DtlsSettings()),
    "fragments": DtlsSettings(mtu=256),
}


def exported(transcript: bytes, path: Path) -> Path:
    with path.open("wb") as sink:
        to_pcapng(read_transcript(BytesIO(transcript)), sink.write)
    return path


def tshark(capture: Path, *arguments: str) -> str:
    requires_tools("tshark")
    port = f"udp.port=={PORTS[''].port}"
    command = ["tshark", "-r", str(capture), "-d", f"{port},dtls", "-d", f"dtls.port=={PORTS[''].port},coap"]
    return subprocess.run([*command, *arguments], check=True, text=True, capture_output=True, timeout=60).stdout


def fields(capture: Path, *names: str, where: str = "") -> list[list[str]]:
    wanted = [part for name in names for part in ("-e", name)]
    lines = tshark(capture, *(("-Y", where) if where else ()), "-T", "fields", *wanted).splitlines()
    return [line.split("\t") for line in lines]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_requests_can_be_read(settings: DtlsSettings, tmp_path: Path) -> None:
    capture = exported(recorded_session(secrets=True, dtls=settings), tmp_path / "session.pcapng")
    assert [path for (path,) in fields(capture, "coap.opt.uri_path_recon", where="coap.code == 2")] == PATHS
    answers = [answer for (answer,) in fields(capture, "data.data", where="coap.code == 68")]
    assert DATASET.encode().hex() in answers


def test_handshake_is_that_of_ec_jpake_and_finished_can_be_read(tmp_path: Path) -> None:
    capture = exported(recorded_session(secrets=True), tmp_path / "session.pcapng")
    suites = fields(capture, "dtls.handshake.ciphersuite", where="dtls.handshake.type == 2")
    assert suites == [["0xc0ff"]]
    kinds = [kind for (row,) in fields(capture, "dtls.handshake.type", where="dtls") for kind in row.split(",") if kind]
    assert kinds == ["1", "3", "1", "2", "12", "14", "16", "20", "20"]
    assert fields(capture, "frame.number", where="_ws.malformed") == []


def test_capture_without_secrets_stays_sealed(tmp_path: Path) -> None:
    capture = exported(recorded_session(secrets=False), tmp_path / "session.pcapng")
    assert fields(capture, "frame.number", where="coap") == []
    assert len(fields(capture, "frame.number", where="dtls")) > 10

"""TCP of virtual time, read by tshark: nothing is malformed, and a stall looks like one."""

import subprocess
from io import BytesIO
from pathlib import Path

import pytest

from devices.transcripts.export import to_pcapng
from devices.transcripts.reader import read_transcript
from tests.support.needs import requires_tools
from tests.support.seed_rows import played

pytestmark = pytest.mark.interop


def test_a_stall_in_a_capture_is_resent_segments_and_a_reset_at_last(tmp_path: Path) -> None:
    requires_tools("tshark")
    capture = tmp_path / "stall.pcapng"
    with capture.open("wb") as file:
        to_pcapng(read_transcript(BytesIO(played("f2-stall-that-ends-in-a-reset").transcript)), file.write)
    fields = ("frame.protocols", "tcp.flags.str", "tcp.analysis.retransmission", "tcp.payload", "_ws.malformed")
    columns = [part for name in fields for part in ("-e", name)]
    command = ["tshark", "-r", str(capture), "-Y", "tcp", "-T", "fields", "-E", "separator=;", *columns]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    segments = [line.split(";") for line in told]
    assert not [each for each in segments if each[4]]
    assert [each[1].replace("·", "") for each in segments[:2]] == ["S", "AS"]
    assert bytes.fromhex(segments[2][3]) == b"PING 1\n"
    # Once, and again after 0.2, 0.4, 0.8 … 25.6 s; the last gets through and meets nobody.
    (lost,) = {each[3] for each in segments if each[2]}
    assert len([each for each in segments if each[3] == lost]) == 9
    # What stood behind it is under way by then.
    assert [("R" in each[1]) for each in segments[-2:]] == [True, False]

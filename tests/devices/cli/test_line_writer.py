"""Output on a thread of its own: in order, whole, and with news of a reader that has left."""

import os
from collections.abc import Iterator
from typing import TextIO

import pytest

from devices.cli.line_writer import LineWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        yield reading, stream


def test_everything_arrives_in_order(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    writer = LineWriter(stream, "it")
    for number in range(1000):
        writer.write(f"{number}\n")
    with os.fdopen(reading) as reader:
        assert [reader.readline() for _ in range(1000)] == [f"{number}\n" for number in range(1000)]
    writer.close()


def test_text_and_bytes_may_be_mixed(pipe: tuple[int, TextIO]) -> None:
    reading, stream = pipe
    writer = LineWriter(stream, "it")
    writer.write("Küche ")
    writer.write(b"\xff")
    writer.close()
    assert os.read(reading, 100) == "Küche ".encode() + b"\xff"
    os.close(reading)


def test_a_reader_that_left_is_no_error(pipe: tuple[int, TextIO], capsys: pytest.CaptureFixture[str]) -> None:
    reading, stream = pipe
    os.close(reading)
    writer = LineWriter(stream, "it")
    writer.write("anybody?")
    writer.close()
    assert writer.reader_left
    assert capsys.readouterr().err == ""


def test_a_full_disk_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        stream = open("/dev/full", "w")  # noqa: PTH123, SIM115
    except FileNotFoundError:
        pytest.skip("this system has no /dev/full")
    with stream:
        writer = LineWriter(stream, "stdout")
        writer.write("x")
        writer.close()
    assert "No space left" in capsys.readouterr().err

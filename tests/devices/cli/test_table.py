"""The table and the event lines: what a person sees of a home."""

import io

from rich.console import Console

from devices.cli.output import printable
from devices.cli.table import Heading, Row, accessory_row, event_line, home_table

ENTRY = {
    "id": "br",
    "name": "Living Room",
    "kind": "thread-border-router",
    "state": "leader",
    "endpoints": {"rest": "http://127.0.0.1:8081", "meshcop": "127.0.0.1:49153"},
    "shows": {"code": "123456789"},
}


def drawn(row: Row) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    with console.capture() as captured:
        console.print(home_table(Heading("Demo home", 7, "loopback", "http://127.0.0.1:8700"), [row]))
    return captured.get()


def test_a_row_says_who_where_what_it_shows_and_its_state() -> None:
    text = drawn(accessory_row(ENTRY))
    for part in ("Living Room", "br", "thread-border-router", "http://127.0.0.1:8081", "code 123456789", "leader"):
        assert part in text


def test_the_heading_says_seed_reach_and_api() -> None:
    assert "Demo home  seed 7  reach loopback  control http://127.0.0.1:8700" in drawn(accessory_row(ENTRY))


def test_a_name_that_lost_a_conflict_is_shown_as_it_is_now() -> None:
    assert "on Bonjour as Living Room (2)" in drawn(accessory_row(ENTRY, "Living Room (2)"))
    assert "on Bonjour" not in drawn(accessory_row(ENTRY, "Living Room"))


def test_a_long_payload_is_cut() -> None:
    row = accessory_row({**ENTRY, "shows": {"qr": "MT:" + "A" * 300}})
    assert row.shows == [f"qr MT:{'A' * 20}…"]


def test_a_hostile_name_cannot_drive_the_terminal() -> None:
    text = drawn(Row("x", "\x1b[2Jgone [bold]", "kind", "on"))
    assert "\x1b" not in text
    assert "[bold]" in text


def test_an_event_line_has_time_actor_type_and_facts() -> None:
    document = {"id": 3, "at_us": 7_140_000, "type": "RoleChanged", "actor": "br", "peer": None, "medium": "mesh"}
    line = event_line({**document, "role": "leader", "was": "detached", "rloc16": 0xAC00, "partition_id": None}).plain
    assert line.split() == ["7.140s", "br", "RoleChanged", "role", "leader", "was", "detached", "rloc16", "0xac00"]


def test_a_service_event_is_told_by_name_and_type() -> None:
    document = {"id": 1, "at_us": 0, "type": "ServicePublished", "actor": "br", "peer": None, "medium": "lan"}
    line = event_line(
        {**document, "key": ["A", "_x._udp"], "instance": "A", "service_type": "_x._udp", "host": "h", "txt": "00"}
    ).plain
    assert line.rstrip().endswith("A _x._udp")


def test_printable_keeps_text_and_escapes_controls() -> None:
    assert printable("Küche 🏠 1\n2") == "Küche 🏠 1\n2"
    assert printable("a\x1b[0m\u202eb\x00") == "a\\x1b[0m\\u202eb\\x00"

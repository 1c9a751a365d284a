"""F1, F2 and F6: what the reports have in figures, by the times of events."""

from itertools import pairwise

import pytest

from tests.support.seed_rows import S, happened, played, times


def _clock(text: str) -> int:
    """Microseconds of a time of day in a log."""
    hours, minutes, seconds = text.split(":")
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * S)


def test_f2_pings_come_a_second_apart_until_the_stall() -> None:
    pings = times(played("f2-lock-screen-stall"), "RequestReceived", "server", peer="app")
    before = [each for each in pings if each <= 14_010_000]
    assert len(before) >= 14
    assert {later - earlier for earlier, later in pairwise(before)} == {1 * S}


def test_f2_the_server_warns_at_16_s_closes_at_30_s_and_the_client_learns_of_it_84_8_s_later() -> None:
    result = played("f2-lock-screen-stall")
    (warned,), (closed, *_) = times(result, "PeerSilent", "server"), times(result, "Disconnected", "server")
    last = max(each for each in times(result, "RequestReceived", "server") if each < warned)
    (learned, *_) = times(result, "Disconnected", "app")
    assert warned - last == 16 * S
    assert closed - last == 30 * S
    # The report's logs: warned 18:34:16.298, closed 18:34:30.298; the phone's own timer 18:35:55.063.
    assert closed - warned == _clock("18:34:30.298") - _clock("18:34:16.298") == 14 * S
    assert learned - closed == _clock("18:35:55.063") - _clock("18:34:30.298") == 84_765_000


def test_f2_nothing_passes_and_nobody_is_told_during_the_stall() -> None:
    result = played("f2-lock-screen-stall")
    (started,) = times(result, "FaultStarted", "app")
    begins, ends = started + 10 * S, started + 130 * S
    told = [each for each in result.events if begins < each.at_us < ends and each.actor == "app"]
    assert {each.type for each in told} == {"FaultFired", "Disconnected"}
    (closed, *_) = happened(result, "Disconnected", "server")
    assert closed.as_json()["reason"] == "silence"


def test_f2_ending_lost_is_a_reset_for_the_first_segment_after_the_stall() -> None:
    result = played("f2-stall-that-ends-in-a-reset")
    (started,), (reset,) = times(result, "FaultStarted", "app"), times(result, "Disconnected", "app")
    ends = started + 40 * S
    assert reset > ends
    # Segments were sent again after 0.2, 0.4 … 25.6 s; the first that gets through is answered at once.
    last = max(each for each in times(result, "RequestReceived", "server"))
    first_lost = last + 1 * S - 1_000
    tries = [first_lost + 200_000 * (2**number - 1) for number in range(10)]
    assert reset == next(each for each in tries if each >= ends) + 2_000


@pytest.mark.parametrize(
    ("server", "client", "silent"),
    [("server", "app", True), ("late-to-hear", "app-in", True), ("late-to-answer", "app-out", False)],
)
def test_f2_ending_resume_loses_nothing_and_keeps_the_order(server: str, client: str, silent: bool) -> None:
    result = played("f2-stall-that-resumes")
    begins, ends = 10 * S, 38 * S
    numbers = [each.as_json()["number"] for each in happened(result, "AnswerReceived", client)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 355
    answers = times(result, "AnswerReceived", client)
    assert not [each for each in answers if begins + 2_000 < each < ends]
    assert len([each for each in answers if ends <= each <= ends + 3_000]) == 28
    assert bool(happened(result, "PeerSilent", server)) is silent
    again = times(result, "FaultFired", client if server == "server" else server)
    assert min(each for each in again if each > 100 * S) >= 310 * S


def test_f2_a_hello_that_is_held_arrives_after_30_s_and_one_that_is_lost_is_said_again() -> None:
    result = played("f2-stall-during-a-handshake")
    begins = times(result, "FaultStarted", "patient")[0] + 1_500
    (held,), (resent,) = (times(result, "TlsHandshakeCompleted", "server", peer=who) for who in ("patient", "unlucky"))
    assert held == begins + 30 * S
    # Said at 2 ms; what is lost is sent again after 0.2, 0.4 … 25.6 s, 51.0 s in all.
    assert resent == 2_000 + 51 * S + 1_000


def test_f1_each_order_ends_as_it_says_with_writes_pending() -> None:
    result = played("f1-abrupt-close")
    ends = {"app-1": (5_001_000, "reset-by-peer"), "app-2": (5_001_000, "closed-by-peer")}
    for client, server, (after, reason) in (
        ("app-1", "at-once", ends["app-1"]),
        ("app-2", "read-first", ends["app-2"]),
        ("app-3", "write-first", (1_000, "closed-by-peer")),
    ):
        (began, *_), (ended, *_) = times(result, "FaultFired", server), happened(result, "Disconnected", client)
        assert (ended.at_us - began, ended.as_json()["reason"]) == (after, reason)
        pinged = ended.as_json()["octets_out"] // len(b"PING 1\n")
        heard = [each for each in times(result, "RequestReceived", server, peer=client) if each < ended.at_us]
        # The client had written to the end; what it wrote since the server stopped reading was pending.
        assert pinged - len(heard) == (0 if server == "write-first" else 6)


def test_f3_pushes_five_seconds_apart_arrive_together_60_s_after_the_first_and_in_order() -> None:
    result = played("f3-late-batch-push")
    sent, received = times(result, "PushSent", "server"), happened(result, "PushReceived", "watch")
    assert [each - sent[0] for each in sent] == [0, 5 * S, 10 * S]
    assert [each.as_json()["text"] for each in received] == ["first", "second", "third"]
    assert {each.at_us for each in received} == {sent[0] + 60 * S + 1_000}


def test_f6_a_wake_every_900_s_is_a_full_handshake_and_a_false_disconnect() -> None:
    result = played("f6-dark-wake-tls")
    (asleep,) = times(result, "FaultStarted", "laptop")
    (_, *again) = happened(result, "TlsHandshakeCompleted", "server")
    assert [each.at_us - asleep - 900 * S * (number + 1) for number, each in enumerate(again)] == [5_000] * 33
    assert not any(each.as_json()["resumed"] for each in again)
    assert again[-1].as_json()["handshakes"] == 34
    returned = happened(result, "PeerReturned", "server")
    assert [each.as_json()["false_disconnects"] for each in returned] == list(range(1, 34))


def test_f6_the_old_connection_is_tried_first_and_found_closed() -> None:
    result = played("f6-dark-wake-tls")
    (asleep,) = times(result, "FaultStarted", "laptop")
    closed = happened(result, "Disconnected", "laptop", reason="reset-by-peer")
    assert [each.at_us - asleep for each in closed] == [900 * S * number + 2_000 for number in range(1, 34)]
    silences = times(result, "Disconnected", "server", reason="silence")
    heard = times(result, "RequestReceived", "server")
    assert len(silences) in (33, 34)
    assert {each - max(time for time in heard if time < each) for each in silences} == {60 * S}


def test_f6_eight_hours_and_their_octets_are_counted_to_the_last() -> None:
    result = played("f6-dark-wake-tls")
    assert result.duration_us > 8 * 3600 * S
    server, client = (happened(result, "Disconnected", who) for who in ("server", "laptop"))
    for there, here in zip(server, client, strict=False):
        # What the sleeper wrote and never got through is not in the server's count.
        assert there.as_json()["octets_out"] == here.as_json()["octets_in"]
        assert there.as_json()["octets_in"] <= here.as_json()["octets_out"]

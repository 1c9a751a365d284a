"""CoAP exchanges: dialogues of two endpoints, lost and doubled messages, and what is none of our business."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairing.coap.endpoint import CoapEndpoint
from pairing.coap.events import (
    CoapDeliveryFailed,
    CoapPingAnswered,
    CoapRequestFailed,
    CoapRequestReceived,
    CoapResponseReceived,
)
from pairing.coap.message import CoapCode, CoapMessage, CoapOption, CoapType
from pairing.coap.settings import CoapSettings
from pairing.engine import SECOND, Endpoint, Event, FrameIgnored, Output, Outputs, Transmit
from pairing.errors import EncodeError, ExchangeTimeoutError, LocalProtocolError, PeerRejectedError
from tests.support.recorded_entropy import RecordedEntropy, seeded

PHONE, AGENT = Endpoint("192.0.2.1", 1000), Endpoint("192.0.2.2", 2000)
E = TypeVar("E", bound=Event)


class Pair:
    """A client and a server whose messages the test carries. `answer` is what the server does with a request."""

    def __init__(self, answer: Callable[[CoapEndpoint, CoapRequestReceived], Outputs] | None = None) -> None:
        self.client, self.server = CoapEndpoint(seeded("client")), CoapEndpoint(seeded("server"))
        self.now = 0
        self.client_events: list[Event] = []
        self.server_events: list[Event] = []
        self.carried: list[CoapMessage] = []
        self._answer = answer or (lambda server, asked: server.respond(asked, CoapCode.CHANGED, b"ok", self.now))
        self.lost: Callable[[int, CoapMessage], int] = lambda number, message: 1
        """How many copies of the n-th message arrive."""

    def carry(self, outputs: Sequence[Output], *, of_client: bool) -> None:
        for output in outputs:
            if not isinstance(output, Transmit):
                (self.client_events if of_client else self.server_events).append(output)
                if isinstance(output, CoapRequestReceived):
                    self.carry(self._answer(self.server, output), of_client=False)
                continue
            assert output.to == (AGENT if of_client else PHONE)
            self.carried.append(CoapMessage.decode(output.payload))
            for _ in range(self.lost(len(self.carried), self.carried[-1])):
                receiver, sender = (self.server, PHONE) if of_client else (self.client, AGENT)
                self.carry(receiver.receive(output.payload, sender, self.now), of_client=not of_client)

    def request(self, path: str = "c/cp", *, is_confirmable: bool = True) -> bytes:
        token, outputs = self.client.request(
            AGENT, CoapCode.POST, path, b"hello", self.now, is_confirmable=is_confirmable
        )
        self.carry(outputs, of_client=True)
        return token

    def pass_time(self, until: int = 1000 * SECOND) -> None:
        """Let both act at their deadlines."""
        while True:
            due = [each.deadline for each in (self.client, self.server) if each.deadline is not None]
            if not due or min(due) > until:
                return
            self.now = min(due)
            self.carry(self.client.handle_timeout(self.now), of_client=True)
            self.carry(self.server.handle_timeout(self.now), of_client=False)

    def shapes(self) -> list[tuple[str, int]]:
        return [(message.message_type.name, message.code) for message in self.carried]


def only(events: list[Event], kind: type[E]) -> E:
    (event,) = [each for each in events if isinstance(each, kind)]
    return event


def separately(kind: CoapType | None) -> Callable[[CoapEndpoint, CoapRequestReceived], Outputs]:
    def answer(server: CoapEndpoint, asked: CoapRequestReceived) -> Outputs:
        acknowledged = server.acknowledge(asked, 0)
        return [*acknowledged, *server.respond(asked, CoapCode.CHANGED, b"late", 0, kind=kind)]

    return answer


def test_piggybacked_answer_repeats_message_id_and_token() -> None:
    pair = Pair()
    token = pair.request()
    assert pair.shapes() == [("CON", CoapCode.POST), ("ACK", CoapCode.CHANGED)]
    asked, answered = pair.carried
    assert (answered.message_id, answered.token) == (asked.message_id, token)
    response = only(pair.client_events, CoapResponseReceived)
    assert (response.token, response.message.payload) == (token, b"ok")
    assert response.peer == "192.0.2.2:2000"
    assert pair.client.deadline is None


def test_separate_answer_as_non_comes_after_an_empty_ack() -> None:
    pair = Pair(separately(None))
    token = pair.request()
    assert pair.shapes() == [("CON", CoapCode.POST), ("ACK", 0), ("NON", CoapCode.CHANGED)]
    assert only(pair.client_events, CoapResponseReceived).token == token


def test_separate_answer_as_con_is_acknowledged() -> None:
    pair = Pair(separately(CoapType.CON))
    pair.request()
    assert pair.shapes() == [("CON", CoapCode.POST), ("ACK", 0), ("CON", CoapCode.CHANGED), ("ACK", 0)]
    assert pair.server.deadline is None


def test_non_request_is_answered_non_or_as_openthread_with_ack() -> None:
    pair = Pair()
    pair.request(is_confirmable=False)
    assert pair.shapes() == [("NON", CoapCode.POST), ("NON", CoapCode.CHANGED)]
    as_openthread = Pair(lambda server, asked: server.respond(asked, CoapCode.CHANGED, b"ok", 0, kind=CoapType.ACK))
    as_openthread.request(is_confirmable=False)
    assert as_openthread.shapes() == [("NON", CoapCode.POST), ("ACK", CoapCode.CHANGED)]
    assert only(as_openthread.client_events, CoapResponseReceived).message.payload == b"ok"


def test_non_request_without_answer_leaves_nothing_behind() -> None:
    client = CoapEndpoint(seeded(0))
    client.request(AGENT, CoapCode.POST, "c/ut", b"", 0, is_confirmable=False, wants_response=False)
    assert client.deadline is None


def test_request_without_any_answer_is_sent_five_times_and_fails() -> None:
    pair = Pair()
    pair.lost = lambda number, message: 0
    token = pair.request()
    moments = [pair.now]
    while pair.client.deadline is not None:
        pair.pass_time(pair.client.deadline)
        moments.append(pair.now // SECOND)
    assert len({message.encode() for message in pair.carried}) == 1
    assert (len(pair.carried), moments) == (5, [0, 2, 6, 14, 30, 62])
    failed = only(pair.client_events, CoapRequestFailed)
    assert (failed.token, type(failed.error)) == (token, ExchangeTimeoutError)


@pytest.mark.parametrize("answer", [None, separately(None), separately(CoapType.CON)])
@pytest.mark.parametrize("lost", range(1, 5))
def test_loss_of_any_one_message_is_repaired(
    lost: int, answer: Callable[[CoapEndpoint, CoapRequestReceived], Outputs] | None
) -> None:
    pair = Pair(answer)
    pair.lost = lambda number, message: number != lost
    token = pair.request()
    pair.pass_time(100 * SECOND)
    if answer is not None and lost == 3 and pair.carried[2].message_type is CoapType.NON:
        pair.pass_time()  # a separate NON is not sent again: the one loss that nobody repairs
        assert only(pair.client_events, CoapRequestFailed).token == token
        return
    assert only(pair.client_events, CoapResponseReceived).token == token
    assert len([event for event in pair.server_events if isinstance(event, CoapRequestReceived)]) == 1


@pytest.mark.parametrize("answer", [None, separately(None), separately(CoapType.CON)])
def test_doubled_messages_are_handled_once(
    answer: Callable[[CoapEndpoint, CoapRequestReceived], Outputs] | None,
) -> None:
    pair = Pair(answer)
    pair.lost = lambda number, message: 2 if number < 8 else 1
    pair.request()
    assert only(pair.client_events, CoapResponseReceived)
    assert only(pair.server_events, CoapRequestReceived)


def test_duplicate_request_gets_the_same_answer_again() -> None:
    pair = Pair()
    pair.request()
    asked = pair.carried[0].encode()
    first, second = pair.server.receive(asked, PHONE, 1 * SECOND)
    assert isinstance(first, Transmit)
    assert first.payload == pair.carried[1].encode()
    assert isinstance(second, FrameIgnored)


def test_same_message_id_from_another_address_or_after_its_lifetime_is_new() -> None:
    pair = Pair()
    pair.request()
    asked = pair.carried[0].encode()
    assert isinstance(pair.server.receive(asked, AGENT, 0)[0], CoapRequestReceived)
    assert isinstance(pair.server.receive(asked, PHONE, 247 * SECOND)[0], CoapRequestReceived)


def test_memory_of_message_ids_is_bounded() -> None:
    server = CoapEndpoint(seeded(0), CoapSettings(remembered=4))
    messages = [CoapMessage(CoapType.NON, CoapCode.POST, number).encode() for number in range(6)]
    for message in messages:
        assert isinstance(server.receive(message, PHONE, 0)[0], CoapRequestReceived)
    assert isinstance(server.receive(messages[-1], PHONE, 0)[0], FrameIgnored)
    assert isinstance(server.receive(messages[0], PHONE, 0)[0], CoapRequestReceived)


def test_ping_is_reset_and_reported() -> None:
    pair = Pair()
    pair.carry(pair.client.ping(AGENT, 0), of_client=True)
    assert pair.shapes() == [("CON", 0), ("RST", 0)]
    assert only(pair.client_events, CoapPingAnswered).message_id == pair.carried[0].message_id
    assert pair.client.deadline is None


def test_unanswered_ping_is_reported() -> None:
    pair = Pair()
    pair.lost = lambda number, message: 0
    pair.carry(pair.client.ping(AGENT, 0), of_client=True)
    pair.pass_time()
    assert isinstance(only(pair.client_events, CoapDeliveryFailed).error, ExchangeTimeoutError)


def test_reset_request_fails_for_its_sender() -> None:
    pair = Pair(lambda server, asked: server.reset(asked))
    token = pair.request()
    failed = only(pair.client_events, CoapRequestFailed)
    assert (failed.token, type(failed.error)) == (token, PeerRejectedError)


def test_separate_con_response_that_nobody_wants_is_reset() -> None:
    pair = Pair(separately(CoapType.CON))
    pair.lost = lambda number, message: number != 2
    pair.client.forget(AGENT)
    _, outputs = pair.client.request(AGENT, CoapCode.POST, "c/cp", b"", 0)
    pair.client.forget(AGENT)
    pair.carry(outputs, of_client=True)
    assert pair.shapes()[-1] == ("RST", 0)
    assert isinstance(only(pair.server_events, CoapDeliveryFailed).error, PeerRejectedError)


def test_unknown_critical_option_is_refused_in_a_con_and_ignored_in_a_non() -> None:
    pair = Pair()
    for kind, answers in ((CoapType.CON, [CoapCode.BAD_OPTION]), (CoapType.NON, [])):
        message = CoapMessage(kind, CoapCode.POST, 7 + kind, b"t", (CoapOption(9),))
        outputs = pair.server.receive(message.encode(), PHONE, 0)
        sent = [CoapMessage.decode(each.payload).code for each in outputs if isinstance(each, Transmit)]
        assert sent == answers
        assert [each for each in outputs if isinstance(each, CoapRequestReceived)] == []


def test_unknown_elective_option_is_passed_on() -> None:
    message = CoapMessage(CoapType.CON, CoapCode.POST, 7, b"t", (CoapOption(2052, b"x"),))
    (event,) = CoapEndpoint(seeded(0)).receive(message.encode(), PHONE, 0)
    assert isinstance(event, CoapRequestReceived)
    assert event.message.options == (CoapOption(2052, b"x"),)


@pytest.mark.parametrize(
    "message",
    [
        CoapMessage(CoapType.ACK, CoapCode.CHANGED, 1, b"none"),
        CoapMessage(CoapType.ACK, CoapCode.EMPTY, 1),
        CoapMessage(CoapType.RST, CoapCode.EMPTY, 1),
        CoapMessage(CoapType.NON, CoapCode.EMPTY, 1),
        CoapMessage(CoapType.NON, CoapCode.CHANGED, 1, b"none"),
        CoapMessage(CoapType.NON, 0xE1, 1, b"none"),
    ],
)
def test_what_answers_nothing_is_ignored(message: CoapMessage) -> None:
    outputs = CoapEndpoint(seeded(0)).receive(message.encode(), AGENT, 0)
    assert [type(each) for each in outputs] == [FrameIgnored]


def test_answer_with_another_token_does_not_end_a_request() -> None:
    client = CoapEndpoint(seeded(0))
    _, (sent,) = client.request(AGENT, CoapCode.POST, "c/cp", b"", 0)
    assert isinstance(sent, Transmit)
    asked = CoapMessage.decode(sent.payload)
    wrong = CoapMessage(CoapType.ACK, CoapCode.CHANGED, asked.message_id, b"other")
    assert isinstance(client.receive(wrong.encode(), AGENT, 0)[0], FrameIgnored)
    right = CoapMessage(CoapType.ACK, CoapCode.CHANGED, asked.message_id, asked.token)
    assert isinstance(client.receive(right.encode(), PHONE, 0)[0], FrameIgnored)
    assert isinstance(client.receive(right.encode(), AGENT, 0)[0], CoapResponseReceived)


def test_numbers_and_tokens_come_from_entropy_or_from_the_caller() -> None:
    client = CoapEndpoint(RecordedEntropy([b"\xff\xff", b"token-01"]))
    token, (first,) = client.request(AGENT, CoapCode.POST, "c/cp", b"", 0)
    assert token == b"token-01"
    token, (second,) = client.request(AGENT, CoapCode.POST, "c/cp", b"", 0, token=b"mine")
    _, (third,) = client.request(AGENT, CoapCode.POST, "c/cp", b"", 0, token=b"mine", message_id=77)
    sent = [CoapMessage.decode(each.payload) for each in (first, second, third) if isinstance(each, Transmit)]
    assert [each.message_id for each in sent] == [0xFFFF, 0, 77]


def test_callers_mistakes_are_refused_and_change_nothing() -> None:
    pair = Pair()
    asked = CoapMessage(CoapType.NON, CoapCode.POST, 7, b"t")
    (event,) = pair.server.receive(asked.encode(), PHONE, 0)
    assert isinstance(event, CoapRequestReceived)
    with pytest.raises(LocalProtocolError):
        pair.server.acknowledge(event, 0)
    with pytest.raises(LocalProtocolError):
        pair.server.respond(event, CoapCode.CHANGED, b"", 0, kind=CoapType.RST)
    with pytest.raises(LocalProtocolError):
        pair.client.request(AGENT, CoapCode.CHANGED, "", b"", 0)
    with pytest.raises(EncodeError):
        pair.client.request(AGENT, CoapCode.POST, "", b"", 0, token=bytes(9))
    assert pair.client.deadline is None


def test_request_cannot_be_acknowledged_twice() -> None:
    (event,) = CoapEndpoint(seeded(0)).receive(CoapMessage(CoapType.CON, CoapCode.POST, 7).encode(), PHONE, 0)
    server = CoapEndpoint(seeded(0))
    (event,) = server.receive(CoapMessage(CoapType.CON, CoapCode.POST, 7).encode(), PHONE, 0)
    assert isinstance(event, CoapRequestReceived)
    server.acknowledge(event, 0)
    with pytest.raises(LocalProtocolError):
        server.acknowledge(event, 0)


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_arbitrary_datagrams_never_raise_and_are_all_answered_or_reported(datagrams: list[bytes]) -> None:
    endpoint = CoapEndpoint(seeded(0))
    for datagram in datagrams:
        assert endpoint.receive(datagram, PHONE, 0)


@given(st.lists(st.integers(0, 2), min_size=12, max_size=12), st.sampled_from([None, CoapType.CON, CoapType.NON]))
def test_whatever_happens_on_the_way_a_request_ends_once(copies: list[int], kind: CoapType | None) -> None:
    pair = Pair(None if kind is None else separately(kind))
    pair.lost = lambda number, message: copies[number % len(copies)] if number < 60 else 1
    token = pair.request()
    pair.pass_time()
    endings = [each for each in pair.client_events if isinstance(each, CoapResponseReceived | CoapRequestFailed)]
    assert [each.token for each in endings] == [token]
    assert pair.client.deadline is None
    assert len([each for each in pair.server_events if isinstance(each, CoapRequestReceived)]) <= 1

"""A device that asks all routers in reach, and joins through the best of them."""

import pytest

from pairing.engine import SECOND, Endpoint, FrameIgnored, Transmit
from pairing.errors import AuthenticationError, DecodeError, ExchangeTimeoutError, PeerRejectedError
from pairing.thread.border_agent import JOINER_LINK
from pairing.thread.joiner import JoinerDeviations, JoinerSettings
from pairing.thread.joiner_frames import DiscoveryAnswer
from pairing.thread.joiner_search import SEARCH_AGAIN, JoinerSearch
from pairing.thread.joiner_states import JoinerState
from pairing.thread.joiner_table import JoinerId
from pairing.thread.mesh_relay import MeshRelay
from pairing.thread.meshcop_events import JoinerEntrusted, JoinerRouterFound, JoiningFailed, LieTold
from pairing.thread.partition import Partition
from pairing.thread.relay import RelayMessage
from pairing.thread.steering import SteeringData, joiner_id
from tests.support.meshcop_wire import PORTS, Client, Wire, last
from tests.support.thread_network import counting_entropy, make_network

EUI64 = bytes.fromhex("18b4300000000002")
PSKD = "J01NME"
GROUP = Endpoint("ff02::2", 1000, "joiner")
EXACT = SteeringData.of_joiners([joiner_id(EUI64)])
ANYBODY, NOBODY = SteeringData.any_joiner(), SteeringData.no_joiner()


def router(number: int) -> Endpoint:
    return Endpoint(f"fe80::{number}", 1000, "joiner")


def answer(steering: SteeringData, name: str = "Home") -> bytes:
    return DiscoveryAnswer(
        ext_pan_id=b"\x11" * 8, network_name=name, steering_data=steering, joiner_udp_port=1000, router_locator=0x400
    ).encode()


def searching(*, is_persistent: bool = False, settings: JoinerSettings | None = None) -> JoinerSearch:
    search = JoinerSearch(GROUP, EUI64, PSKD, counting_entropy(3), settings, is_persistent=is_persistent)
    assert search.start(0) == [Transmit(EUI64, GROUP)]
    return search


def test_an_exact_match_comes_before_anybody_and_the_first_of_equals_is_taken() -> None:
    search = searching()
    for number, steering in enumerate((NOBODY, ANYBODY, EXACT, EXACT), 1):
        assert search.receive(answer(steering), router(number), 1000) == []
    found, hello = search.handle_timeout(SECOND)
    assert isinstance(found, JoinerRouterFound)
    assert found.peer == "[fe80::3]:1000"
    assert isinstance(hello, Transmit)
    assert hello.to == router(3)


def test_networks_that_expect_others_are_named_in_the_refusal() -> None:
    search = searching()
    search.receive(answer(NOBODY, "One"), router(1), 1000)
    search.receive(answer(SteeringData.of_joiners([b"\x02" * 8]), "Two"), router(2), 1000)
    (failed,) = search.handle_timeout(SECOND)
    assert isinstance(failed, JoiningFailed)
    assert isinstance(failed.error, PeerRejectedError)
    assert "'One', 'Two'" in str(failed.error)
    assert search.is_over


def test_silence_is_asked_four_times() -> None:
    search = searching()
    asked = 1
    while not search.is_over:
        assert search.deadline is not None
        outputs = search.handle_timeout(search.deadline)
        asked += sum(isinstance(each, Transmit) for each in outputs)
    assert asked == 4
    (failed,) = outputs
    assert isinstance(failed, JoiningFailed)
    assert isinstance(failed.error, ExchangeTimeoutError)


def test_a_persistent_search_rests_and_asks_again() -> None:
    search = searching(is_persistent=True)
    search.receive(answer(NOBODY), router(1), 1000)
    assert search.handle_timeout(SECOND) == []
    assert search.deadline == SECOND + SEARCH_AGAIN
    assert search.handle_timeout(SECOND + SEARCH_AGAIN) == [Transmit(EUI64, GROUP)]
    search.receive(answer(EXACT), router(1), SECOND + SEARCH_AGAIN)
    outputs = search.handle_timeout(2 * SECOND + SEARCH_AGAIN)
    assert isinstance(outputs[0], JoinerRouterFound)


def test_one_that_ignores_steering_says_so() -> None:
    search = searching(settings=JoinerSettings(deviations=JoinerDeviations(ignore_steering=True)))
    search.receive(answer(NOBODY), router(1), 1000)
    found, told, _ = search.handle_timeout(SECOND)
    assert isinstance(found, JoinerRouterFound)
    assert isinstance(told, LieTold)


def test_what_is_no_answer_is_ignored() -> None:
    search = searching()
    (ignored,) = search.receive(b"\x02\x08", router(1), 1000)
    assert isinstance(ignored, FrameIgnored)
    idle = JoinerSearch(GROUP, EUI64, PSKD, counting_entropy(3))
    (ignored,) = idle.receive(answer(EXACT), router(1), 0)
    assert isinstance(ignored, FrameIgnored)
    assert idle.handle_timeout(SECOND) == []


def joined(pskd: str) -> tuple[JoinerSearch, Client]:
    """A whole joining at a border router with its built-in commissioner."""
    wire = Wire()
    wire.take(wire.network.start_commissioner(0))
    wire.run(SECOND)
    wire.take(wire.network.commissioning.add_joiner(JoinerId(eui64=EUI64), PSKD, 300 * SECOND, wire.now))
    search = JoinerSearch(PORTS[JOINER_LINK], EUI64, pskd, counting_entropy(4))
    client = wire.add(search, JOINER_LINK)
    wire.do(client, search.start)
    wire.run(5 * SECOND)
    return search, client


def test_it_joins_through_the_router_that_it_found() -> None:
    search, client = joined(PSKD)
    assert search.is_over
    assert search.joiner is not None
    assert search.joiner.state is JoinerState.JOINED
    assert last(client.events, JoinerEntrusted).joiner == EUI64.hex()


def test_the_wrong_pskd_ends_in_an_authentication_error() -> None:
    search, client = joined("WR0NGPSKD")
    assert search.is_over
    assert isinstance(last(client.events, JoiningFailed).error, AuthenticationError)


MESSAGE = RelayMessage(joiner_udp_port=1000, joiner_iid=b"\x01" * 8, joiner_router_locator=0x400, dtls=b"\x16")


def test_the_relay_goes_over_the_mesh_only_where_it_has_to() -> None:
    leader, other = make_network(seed=1), make_network(seed=2)
    for node in (leader, other):
        node.enable(0)
    leader.lead(0)
    assert isinstance(leader.partition, Partition)
    other.merge(leader.partition, 1)
    there, here = MeshRelay(leader), MeshRelay(other)
    assert there.to_commissioner(MESSAGE.encode_received()) is None, "nobody commissions"
    other.petition("installer", 2)
    assert here.to_commissioner(MESSAGE.encode_received()) is None, "the Commissioner is here"
    sent = there.to_commissioner(MESSAGE.encode_received())
    assert sent is not None
    assert sent.to == Endpoint("fd11:2233:4455:6600:0:ff:fe00:" + f"{other.rloc16:x}", 61631, "mesh")
    assert here.read(sent.payload) == (True, MESSAGE)
    back = RelayMessage(
        joiner_udp_port=1000,
        joiner_iid=b"\x01" * 8,
        joiner_router_locator=leader.rloc16,
        dtls=b"\x16",
        kek=b"\x07" * 16,
    )
    assert there.to_joiner_router(back) is None
    sent = here.to_joiner_router(back)
    assert sent is not None
    assert there.read(sent.payload) == (False, back)
    assert here.to_joiner_router(MESSAGE) is None, "nobody has that locator"


def test_nothing_else_is_read_from_the_mesh() -> None:
    network = make_network()
    for datagram in (b"", b"\x50\x02\x00\x01", b"\x50\x02\x00\x01\xb1c\x02jf"):
        with pytest.raises(DecodeError):
            MeshRelay(network).read(datagram)

"""Networks for MeshCoP: one that stands where a recording began, and one that simply leads."""

from pairing.engine import Endpoint, Entropy, Micros
from pairing.thread.dataset import Dataset
from pairing.thread.network import Network
from pairing.thread.node import NetworkConfig
from tests.support.thread_network import DATASET, counting_entropy, make_network

BORDER_AGENT = Endpoint("192.0.2.1", 49153)
JOINER_PORT = Endpoint("192.0.2.1", 49155)
PHONE = Endpoint("192.0.2.7", 50001)
PSKC = DATASET.pskc or b""


def with_counter(entropy: Entropy, counter: int) -> Entropy:
    """Entropy whose two-octet draws are this number: a network's first session id is the next."""
    return lambda length: counter.to_bytes(2, "big") if length == 2 else entropy(length)


def recorded_network(
    *, active: str, pending: str | None = None, rloc16: int = 0, next_session_id: int = 1, holder: str | None = None
) -> Network:
    """A Leader with these datasets and this short address, where `holder` is active, if there is one.

    The next petition that is accepted gets `next_session_id`: with a holder, by taking over from it.
    """
    counter = next_session_id - (3 if holder else 1) & 0xFFFF
    entropy = with_counter(counting_entropy(), counter)
    state = make_network().to_state(0) | {
        "active_dataset": active,
        "pending_dataset": pending,
        "rloc16": rloc16,
        "enabled": True,
    }
    network = Network.from_state(state, NetworkConfig(), entropy, 0)
    network.lead(0)
    if holder is not None:
        network.petition(holder, 0)
    return network


def leading_network(*, dataset: Dataset | None = DATASET, seed: int = 0, now: Micros = 0) -> Network:
    """A Leader with a known dataset."""
    network = make_network(dataset=dataset, seed=seed)
    network.enable(now)
    network.lead(now)
    return network

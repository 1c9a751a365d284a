"""A Network to test with: fixed entropy, a known dataset, and time that the test steps by hand."""

from collections.abc import Callable
from hashlib import sha256

from pairing.engine import Entropy, Event, Micros, Outputs
from pairing.thread.dataset import Dataset
from pairing.thread.network import Network
from pairing.thread.node import NetworkConfig

DATASET = Dataset.from_hex(
    "0e080000000000010000000300000f35060004001fffe0020811223344556677880708fd112233445566000510c0ffee00c0ffee00"
    "c0ffee00c0ffee00030a456d75546573744e65740102beef0410a1b2c3d4e5f60718293a4b5c6d7e8f900c0402a0f7f8"
)


def counting_entropy(seed: int = 0) -> Entropy:
    """Bytes that depend on the seed and on how often one asked, nothing else."""
    calls = 0

    def draw(length: int) -> bytes:
        nonlocal calls
        calls += 1
        stream = b"".join(sha256(f"{seed}/{calls}/{block}".encode()).digest() for block in range(length // 32 + 1))
        return stream[:length]

    return draw


def make_network(*, dataset: Dataset | None = DATASET, config: NetworkConfig | None = None, seed: int = 0) -> Network:
    """A node that is disabled, with a dataset unless told otherwise."""
    return Network(config or NetworkConfig(), counting_entropy(seed), active_dataset=dataset)


def names(outputs: Outputs) -> list[str]:
    """The events' class names in order."""
    return [type(output).__name__ for output in outputs]


def run_until(network: Network, end: Micros) -> list[Event]:
    """Fire every deadline up to `end`, each at its own time, as a driver would."""
    events: list[Event] = []
    while (deadline := network.deadline) is not None and deadline <= end:
        events += [output for output in network.handle_timeout(deadline) if isinstance(output, Event)]
    return events


Intent = Callable[[Network, Micros], Outputs]

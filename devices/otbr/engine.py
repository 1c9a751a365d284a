"""A border router's network and the tasks of its REST API as one engine, for one driver.

Collections are not stored state: they begin anew with the node, this router entered as it is then.
"""

from devices.otbr.actions import ActionQueue
from devices.otbr.resource import Collection, StoredItem
from pairing.engine import Address, Entropy, Micros, Outputs
from pairing.thread.network import Network


class OtbrEngine:
    """What is driven: the `Network`, and the `/api` collections on top of it."""

    def __init__(self, network: Network, entropy: Entropy, now: Micros = 0) -> None:
        self.network = network
        self.devices: Collection[StoredItem] = Collection()
        self.diagnostics: Collection[StoredItem] = Collection()
        self.actions = ActionQueue(network, entropy, self.devices, self.diagnostics)
        # A later factory reset leaves the new address out until a task looks for devices again.
        self.actions.update_devices(now)

    @property
    def deadline(self) -> Micros | None:
        """The earlier of the network's and the tasks' deadlines."""
        return min((at for at in (self.network.deadline, self.actions.deadline) if at is not None), default=None)

    def receive(self, payload: bytes, sender: Address, now: Micros) -> Outputs:
        """Nothing reaches it as bytes: HTTP is its driver's work."""
        return ()

    def handle_timeout(self, now: Micros) -> Outputs:
        """Everything that is due."""
        return (*self.network.handle_timeout(now), *self.actions.advance(now))

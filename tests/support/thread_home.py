"""A home of Thread nodes of one network on virtual time."""

from types import TracebackType
from typing import Any, Self

from devices import Home
from devices.accessories.thread_border_router import ThreadBorderRouter
from devices.accessories.thread_device import ThreadDevice
from pairing.thread.dataset import Dataset
from pairing.thread.network import Network
from tests.support.thread_network import DATASET


class ThreadHome:
    """Border routers `br1`, `br2`, …, and whatever else is asked for. Attaching takes a second."""

    def __init__(
        self, border_routers: int, *others: dict[str, Any], dataset: Dataset = DATASET, seed: int = 1, **tables: Any
    ) -> None:
        routers = [
            {"id": f"br{number}", "kind": "thread-border-router", "name": f"Router {number}", "dataset": dataset.hex()}
            for number in range(1, border_routers + 1)
        ]
        self.home = Home({"accessory": [*routers, *others], **tables}, seed=seed, virtual=True, attach="1s")

    def __enter__(self) -> Self:
        self.home.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.home.stop()

    def wait(self, duration: str) -> None:
        """Let time pass."""
        self.home.advance(duration)

    def do(self, actor: str, verb: str, **arguments: Any) -> Any:
        """Tell an actor a verb."""
        return self.home[actor].do(verb, **arguments).result()

    def node(self, actor: str) -> Network:
        """An accessory's model."""
        accessory = self.home.live.accessory(actor)
        assert isinstance(accessory, ThreadBorderRouter | ThreadDevice)
        return accessory.network

    def roles(self) -> dict[str, str]:
        """Everybody's state."""
        return {name: self.home[name].state for name in self.home}

    def partitions(self) -> dict[str, int | None]:
        """Which partition everybody is in, by small numbers in the order in which they are met."""
        seen: dict[int, int] = {}
        found: dict[str, int | None] = {}
        for name in self.home:
            identifier = self.node(name).partition_id
            found[name] = None if identifier is None else seen.setdefault(identifier, len(seen) + 1)
        return found

    def events(self, kind: str, actor: str | None = None) -> list[dict[str, Any]]:
        """What has happened so far."""
        found = [event.as_json() for event in self.home.events.all(kind)]
        return [dict(each) for each in found if actor in (None, each["actor"])]

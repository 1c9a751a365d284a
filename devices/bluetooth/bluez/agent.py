"""`org.bluez.AgentManager1`: the agents of clients, who show and type what pairing needs.

Without an agent the central is one without display and keys, and accepts, as BlueZ's own default is.
Source: BlueZ 5.66, doc/agent-api.txt.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bumble.pairing import PairingDelegate

from devices.bluetooth.bluez.tree import BusError, Call, Interface, Method, Tree
from devices.media.ble import BleMedium
from devices.sim.chance import Stream

if TYPE_CHECKING:
    from devices.bluetooth.bluez.device import RemoteDevice

_AGENT = "org.bluez.Agent1"
_PATIENCE_S = 60
"""How long BlueZ waits for a person."""
_CAPABILITIES: Mapping[str, PairingDelegate.IoCapability] = {
    "": PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
    "KeyboardDisplay": PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
    "DisplayOnly": PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY,
    "DisplayYesNo": PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    "KeyboardOnly": PairingDelegate.IoCapability.KEYBOARD_INPUT_ONLY,
    "NoInputNoOutput": PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT,
}


class Agents:
    """Every registered agent: (path, capability) by client; the default one is asked where a client has none."""

    def __init__(self, tree: Tree, medium: BleMedium, chance: Stream) -> None:
        self.tree, self.medium, self.chance = tree, medium, chance
        self._agents: dict[str, tuple[str, str]] = {}
        self._default = ""
        tree.on_client_gone.append(self._client_gone)
        tree.add(
            "/org/bluez",
            Interface(
                "org.bluez.AgentManager1",
                {},
                {
                    "RegisterAgent": Method("os", "", self._register),
                    "UnregisterAgent": Method("o", "", self._unregister),
                    "RequestDefaultAgent": Method("o", "", self._request_default),
                },
            ),
        )

    def _client_gone(self, name: str) -> None:
        self._agents.pop(name, None)
        if self._default == name:
            self._default = next(iter(self._agents), "")

    async def _register(self, call: Call) -> Sequence[Any]:
        path, capability = call.body
        if call.sender in self._agents:
            raise BusError("AlreadyExists", "Already Exists")
        if capability not in _CAPABILITIES:
            raise BusError("InvalidArguments", "Invalid arguments in method call")
        self._agents[call.sender] = path, capability
        self._default = self._default or call.sender
        return []

    async def _unregister(self, call: Call) -> Sequence[Any]:
        if self._agents.get(call.sender, ("",))[0] != call.body[0]:
            raise BusError("DoesNotExist", "Does Not Exist")
        self._client_gone(call.sender)
        return []

    async def _request_default(self, call: Call) -> Sequence[Any]:
        if self._agents.get(call.sender, ("",))[0] != call.body[0]:
            raise BusError("DoesNotExist", "Does Not Exist")
        self._default = call.sender
        return []

    def delegate_for(self, device: "RemoteDevice | None") -> PairingDelegate:
        """Who answers while this device pairs."""
        asked = device.pairing_for if device is not None else ""
        owner = asked if asked in self._agents else self._default
        found = self._agents.get(owner)
        if device is None:
            return PairingDelegate(PairingDelegate.NO_OUTPUT_NO_INPUT)
        if found is None:
            return _Delegate(PairingDelegate.NO_OUTPUT_NO_INPUT, device)
        return _AgentDelegate(self, owner, found[0], found[1], device)


class _Delegate(PairingDelegate):
    def __init__(self, capability: PairingDelegate.IoCapability, device: "RemoteDevice") -> None:
        super().__init__(capability)
        self._device = device

    async def accept(self) -> bool:
        return self._device.adapter.is_pairable


class _AgentDelegate(_Delegate):
    def __init__(self, agents: Agents, owner: str, path: str, capability: str, device: "RemoteDevice") -> None:
        super().__init__(_CAPABILITIES[capability], device)
        self._agents, self._owner, self._path = agents, owner, path

    async def _ask(self, member: str, signature: str, *body: Any) -> Any:
        tree = self._agents.tree
        try:
            return await tree.call(self._owner, self._path, _AGENT, member, signature, body, patience_s=_PATIENCE_S)
        except asyncio.CancelledError:
            tree.tell(self._owner, self._path, _AGENT, "Cancel")
            raise

    async def confirm(self, auto: bool = False) -> bool:
        """Nothing to compare: a person is asked only where the other side has begun, and there is one to ask."""
        if not self._device.is_central or self.io_capability is PairingDelegate.NO_OUTPUT_NO_INPUT:
            return True
        try:
            await self._ask("RequestAuthorization", "o", self._device.path)
        except BusError:
            return False
        return True

    async def compare_numbers(self, number: int, digits: int) -> bool:
        try:
            await self._ask("RequestConfirmation", "ou", self._device.path, number)
        except BusError:
            return False
        return True

    async def get_number(self) -> int | None:
        try:
            return int(await self._ask("RequestPasskey", "o", self._device.path))
        except BusError:
            return None

    async def display_number(self, number: int, digits: int) -> None:
        """Nobody waits for an answer: an agent that shows nothing is as good as one that does."""
        body = [self._device.path, number, 0]
        self._agents.tree.tell(self._owner, self._path, _AGENT, "DisplayPasskey", "ouq", body)

    async def generate_passkey(self) -> int:
        number = self._agents.chance.randrange(1, 1_000_000)
        # An accessory of this home whose owner has to type it reads it off here.
        self._agents.medium.passkeys[self._device.adapter.address] = number
        return number

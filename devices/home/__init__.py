"""The home: everything put together. `Home` is what a user holds, `LiveHome` runs on an event loop."""

from devices.home.handle import ActorHandle, EventTimeoutError, Home
from devices.home.live import HomeOptions, LiveHome

__all__ = ["ActorHandle", "EventTimeoutError", "Home", "HomeOptions", "LiveHome"]

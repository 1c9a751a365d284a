"""Time and chance: the clock, its ordered timers, the virtual-time loop, and seeded streams."""

from devices.sim.chance import Chance, Stream
from devices.sim.clock import Clock, Timer
from devices.sim.loop import VirtualTimeLoop

__all__ = ["Chance", "Clock", "Stream", "Timer", "VirtualTimeLoop"]

"""The founding report's dataset, a router that advertises its network, and calls with less writing."""

from typing import Any

from pairing.dnssd.txt import TxtRecord
from pairing.thread.credentials import Caller, CallResult, LiveRecord, Platform, Row, call

SEED_AGENT = "9483C451DC3E"
SEED_DATASET = (
    "0e080000000000010000000300001035060004001fffe002083c66f0dc9ef53f1c0708fdb360c72874da9905104094dce45388fd3d"
    "3426e992cbf0697b030d474c2d5332302d6e65773030310102250b04106c9f919a4da9b213764fc83f849381080c0402a0f7f8"
)
SEED_XP = bytes.fromhex("3c66f0dc9ef53f1c")
SEED_KEYS = (bytes.fromhex("4094dce45388fd3d3426e992cbf0697b"), bytes.fromhex("6c9f919a4da9b213764fc83f84938108"))
XA = bytes.fromhex("4a29604a722abd44")
ID = bytes.fromhex("83f55b6ad0ff0a9cb6f6c4ee08292d9a")
DAY = 86_400_000_000

APP = Caller("org.example.app", "TEAM1")
OTHER = Caller("org.example.other", "TEAM2")


def router(instance: str = "GL-S20", **keys: bytes | None) -> LiveRecord:
    """A live record of the seed's network; a key given as None is left out."""
    values = {"id": ID, "rv": b"1", "xa": XA, "xp": SEED_XP, "nn": b"GL-S20-new001", **keys}
    return LiveRecord(instance, TxtRecord.of((key, value) for key, value in values.items() if value is not None))


class Phone:
    """A store that keeps its rows from call to call, as a driver does."""

    def __init__(self, platform: Platform, *live: LiveRecord) -> None:
        self.platform = platform
        self.live: Any = live
        self.rows: tuple[Row, ...] = ()
        self.date = 0

    def __call__(self, method: str, caller: Caller = APP, **given: Any) -> CallResult:
        """Make a call; consent, profile_outcome and search_budget_ms go to it, the rest are arguments."""
        options = {
            name: given.pop(name) for name in ("consent", "profile_outcome", "search_budget_ms") if name in given
        }
        self.date += DAY
        result = call(
            self.platform,
            method,
            given,
            caller=caller,
            rows=self.rows,
            live=self.live,
            date=self.date,
            **options,
        )
        self.rows = result.rows
        return result


def agent_of(number: int) -> bytes:
    """A border agent id of Apple's size for each number."""
    return number.to_bytes(8, "big")

"""A maintenance job: moves a Thread network to a quieter channel by a pending dataset, over REST.

409 says no more than that nothing was stored; why, and what to do about it, is in its detail.
"""

import time
from typing import Any

from home import accessory, ask, chosen_bug, wait_for

SCENARIO = "clients/pending-set-refused-three-times.toml"
BUGS = {
    "takes-409-for-done": "expect FaultFired (br)",
    "gives-up-when-not-attached": "expect FaultFired (br)",
    "tries-again-without-a-pause": "never RequestReceived (br)",
    "sends-only-what-changes": "expect DatasetChanged (br)",
    "keeps-the-old-timestamp": "expect DatasetChanged (br)",
    "does-not-wait-for-the-delay": "expect RequestReceived (br)",
}
CHANNEL = 20
DELAY_MS = 300
TRIES = 6
PAUSE_SECONDS = 0.4


def pending(rest: str, bug: str | None) -> dict[str, Any]:
    """The whole active dataset, newer and on the other channel: what is left out would be drawn anew."""
    if bug == "sends-only-what-changes":
        return {"activeDataset": {"channel": CHANNEL}, "delay": DELAY_MS}
    dataset = ask("GET", f"{rest}/node/dataset/active")[1]
    seconds = dataset["activeTimestamp"]["seconds"] + (bug != "keeps-the-old-timestamp")
    newer = {"seconds": seconds, "ticks": 0, "authoritative": False}
    dataset |= {"channel": CHANNEL, "activeTimestamp": newer}
    return {"activeDataset": dataset, "pendingTimestamp": newer, "delay": DELAY_MS}


def is_stored(rest: str, bug: str | None) -> bool:
    """Whether the pending dataset is in force; refusals are tried again, each for its reason."""
    pause = 0 if bug == "tries-again-without-a-pause" else PAUSE_SECONDS
    for _ in range(TRIES if pause else 100 * TRIES):
        status, problem, _ = ask("PUT", f"{rest}/node/dataset/pending", pending(rest, bug))
        if status in (200, 201) or bug == "takes-409-for-done":
            return True
        if status != 409:
            break
        time.sleep(pause)
        if problem["detail"] == "no longer attached":
            if bug == "gives-up-when-not-attached":
                break
            wait_until_attached(rest)
    return False


def wait_until_attached(rest: str) -> None:
    """Until the router is in the mesh again."""
    while ask("GET", f"{rest}/node/state")[1] not in ("child", "router", "leader"):
        time.sleep(PAUSE_SECONDS)


def main() -> None:
    """Ask, and see the channel change."""
    bug = chosen_bug(BUGS)
    rest = accessory("br")["endpoints"]["rest"].rstrip("/")
    wait_for("RoleChanged", actor="br", role="leader")
    if not is_stored(rest, bug):
        print("the channel stays as it is")
        return
    for _ in range(1 if bug == "does-not-wait-for-the-delay" else 20):
        if ask("GET", f"{rest}/node/dataset/active")[1]["channel"] == CHANNEL:
            ask("GET", f"{rest}/node/leader-data")
            return
        time.sleep(DELAY_MS / 2_000)


if __name__ == "__main__":
    main()

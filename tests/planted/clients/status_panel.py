"""A panel in the hall: shows what the border router is doing, through its restarts.

A restart gives the router another REST port, and the first requests come too early for it.
"""

import time

from home import ask, chosen_bug, control

SCENARIO = "clients/router-restarts.toml"
BUGS = {
    "keeps-the-rest-port": "expect RequestReceived (br)",
    "gives-up-at-408": "expect RequestReceived (br)",
    "makes-a-network-where-none-is-attached": "never DatasetChanged (br)",
    "hammers-until-it-is-there": "never RequestReceived (br)",
}
PAUSE_SECONDS = 0.25
TOO_EARLY = 408
ROUNDS = 40


def find_rest() -> str:
    """Where the router's REST API is now; nothing while it is off."""
    return str(control("GET", "accessories/br")["endpoints"].get("rest", "")).rstrip("/")


def make_network(rest: str) -> None:
    """What is to be done with a router that is new."""
    ask("PUT", f"{rest}/node/state", '"disable"')
    ask("PUT", f"{rest}/node/dataset/active", {"networkName": "Hallway"})
    ask("PUT", f"{rest}/node/state", '"enable"')


def look(rest: str, bug: str | None) -> str:
    """The router's role, nothing where it does not say."""
    try:
        status, state, _ = ask("GET", f"{rest}/node/state")
        while status == TOO_EARLY and bug == "hammers-until-it-is-there":
            status, state, _ = ask("GET", f"{rest}/node/state")
    except (OSError, ValueError):
        return ""
    if status == TOO_EARLY and bug == "gives-up-at-408":
        raise SystemExit
    return str(state) if status == 200 else ""


def main() -> None:
    """Look again and again, until it has led, been away, and led again."""
    bug = chosen_bug(BUGS)
    rest, was, times_led = find_rest(), "", 0
    for _ in range(ROUNDS):
        role = look(rest, bug)
        if not role and bug != "keeps-the-rest-port":
            rest = find_rest()
        if role == "detached" and times_led and bug == "makes-a-network-where-none-is-attached":
            make_network(rest)
        if role == "leader" and was != role:
            times_led += 1
            print(f"leads: {ask('GET', f'{rest}/node/leader-data')[1]}")
        if times_led == 2:
            return
        was = role
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()

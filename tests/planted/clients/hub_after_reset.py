"""A hub that resets its border router over REST, sets it up anew, and stores the new network's credential on the phone.

A reset draws every identity anew: what the hub knew the router by is nobody's any more.
"""

from home import accessory, ask, chosen_bug, control, wait_for

SCENARIO = "clients/hub-after-reset.toml"
BUGS = {
    "stores-under-the-old-id": "expect CredentialStored (phone)",
    "asks-for-the-ghost": "never RequestReceived (br)",
    "keeps-the-old-dataset": "expect CredentialStored (phone)",
    "forgets-to-enable": "expect RoleChanged x2 (br)",
}


def main() -> None:
    """Reset, set up, store."""
    bug = chosen_bug(BUGS)
    rest = accessory("br")["endpoints"]["rest"].rstrip("/")
    first = wait_for("RoleChanged", actor="br", role="leader")
    agent, address, dataset = _identity(rest)
    ask("DELETE", f"{rest}/node")
    ask("PUT", f"{rest}/node/dataset/active", {"networkName": "Second Home", "channel": 20})
    if bug == "forgets-to-enable":
        return
    ask("PUT", f"{rest}/node/state", '"enable"')
    wait_for("RoleChanged", actor="br", role="leader", after=first["id"])
    new_agent, new_address, new_dataset = _identity(rest)
    shown = address if bug == "asks-for-the-ghost" else new_address
    ask("GET", f"{rest}/api/devices/{shown}", headers={"Accept": "application/vnd.api+json"})
    control(
        "POST",
        "phones/phone/thread/addCredentials",
        {
            "border_agent_id": agent if bug == "stores-under-the-old-id" else new_agent,
            "dataset": dataset if bug == "keeps-the-old-dataset" else new_dataset,
        },
    )


def _identity(rest: str) -> tuple[str, str, str]:
    """Border agent id, extended address, and Active Dataset in hex."""
    agent, address = (ask("GET", f"{rest}/node/{each}")[1] for each in ("ba-id", "ext-address"))
    return agent, address, ask("GET", f"{rest}/node/dataset/active", headers={"Accept": "text/plain"})[1]


if __name__ == "__main__":
    main()

"""A router vendor's iOS app: keeps the credential of its customer's Thread network on the phone, and up to date.

Another vendor's app on the same phone has a record of the network already, which no call but the one with a prompt
shows. The customer has typed what the router's label says: a MAC, which is no border agent id.
"""

from typing import Any

from home import ask, chosen_bug, control, wait_for

SCENARIO = "clients/gl-s20-right-and-wrong-id.toml"
BUGS = {
    "tries-the-label-again": "expect CredentialStored (phone)",
    "makes-an-eui-64-of-the-label": "expect CredentialStored (phone)",
    "takes-the-16-byte-id": "expect CredentialStored (phone)",
    "sees-no-network": "never DatasetChanged (br)",
    "deletes-before-it-stores": "do retrieve-credential (phone)",
}
LABEL = "9483C451DC3E"
NAME = "GL-S20-new001"


def call(method: str, /, **arguments: str) -> dict[str, Any]:
    """One call of THClient."""
    answer: dict[str, Any] = control("POST", f"phones/phone/thread/{method}", arguments)
    return answer


def knows_the_network(ext_pan_id: str, bug: str | None) -> bool:
    """Whether anybody has a credential for it; of other teams' records only the call with a prompt tells."""
    if call("retrieveAllCredentials")["value"]:
        return True
    return bug != "sees-no-network" and call("retrieveCredentials", extended_pan_id=ext_pan_id)["outcome"] == "done"


def make_network(rest: str) -> None:
    """A network of our own, under the router's name."""
    ask("PUT", f"{rest}/node/state", '"disable"')
    ask("PUT", f"{rest}/node/dataset/active", {"networkName": NAME, "networkKey": "a5" * 16})
    ask("PUT", f"{rest}/node/state", '"enable"')


def agent_id(rest: str, bug: str | None) -> str:
    """What Apple calls the border agent's id: the router's extended address."""
    match bug:
        case "tries-the-label-again":
            return LABEL
        case "makes-an-eui-64-of-the-label":
            octets = bytes.fromhex(LABEL)
            return bytes((octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:])).hex()
        case "takes-the-16-byte-id":
            return str(ask("GET", f"{rest}/node/ba-id")[1])
    return str(ask("GET", f"{rest}/node/ext-address")[1])


def main() -> None:
    """Look, store, and the next morning store again, when the router is not there."""
    bug = chosen_bug(BUGS)
    wait_for("CredentialStored", actor="other")
    router = control("GET", "accessories/br")
    rest = router["endpoints"]["rest"].rstrip("/")
    if not knows_the_network(ask("GET", f"{rest}/node/ext-panid")[1], bug):
        make_network(rest)
    dataset = str(ask("GET", f"{rest}/node/dataset/active", headers={"Accept": "text/plain"})[1])
    agent = LABEL
    stored = call("storeCredentials", border_agent_id=agent, dataset=dataset)
    if stored["outcome"] != "done":
        agent = agent_id(rest, bug)
        stored = call("storeCredentials", border_agent_id=agent, dataset=dataset)
    if stored["outcome"] != "done":
        print(f"not stored: {stored['platform']['case'] or stored['platform']['code']}")
        return
    wait_for("PeerLost", actor="phone", peer=router["facts"]["instance"])
    if bug == "deletes-before-it-stores":
        call("deleteCredentials", border_agent_id=agent)
    call("storeCredentials", border_agent_id=agent, dataset=dataset)


if __name__ == "__main__":
    main()

"""A phone app that gets a network's credentials by the sharing code on a border router, and extends the network.

Its user takes the code off the wrong router first. One router answers a wrong code with an alert, the other with
silence; with what the second one gives, a third router of ours joins the network.
"""

from home import accessory, ask, chosen_bug, control, wait_for
from meshcop import NETWORK_NAME, Asker, Link, read_tlvs

SCENARIO = "clients/wrong-codes-alert-and-silence.toml"
BUGS = {
    "types-the-same-code-again": "expect EphemeralKeyConnected (kitchen)",
    "keeps-the-session-open": "expect EphemeralKeyUsed (kitchen)",
    "takes-silence-for-a-yes": "expect EphemeralKeyConnected (bath)",
    "refuses-unknown-tlvs": "expect DatasetChanged (shed)",
    "cuts-the-dataset-at-100-bytes": "expect DatasetChanged (shed)",
}
PATIENCE_SECONDS = 0.8
LATER_SECONDS = 3.0
KNOWN = frozenset((0, 1, 2, 3, 4, 5, 7, 12, 14, 53))


def fetch(router: str, codes: list[str], bug: str | None) -> bytes:
    """The active dataset, by the first of the codes that is right; empty if none is."""
    place = control("GET", f"accessories/{router}")["endpoints"]["ephemeral-key"]
    for patience, code in zip((PATIENCE_SECONDS, LATER_SECONDS), codes, strict=True):
        link = Link(place, code.encode())
        if link.connect(patience):
            dataset = Asker(link).ask("c/ag") or b""
            if bug != "keeps-the-session-open":
                link.close()
            return dataset
        print(f"{router}: {link.alert or 'no answer'}")
        if not link.alert and bug == "takes-silence-for-a-yes":
            break
        link.close()
    return b""


def extend(rest: str, dataset: bytes, bug: str | None) -> None:
    """Set our own router up with it."""
    if bug == "refuses-unknown-tlvs" and not KNOWN.issuperset(read_tlvs(dataset)):
        print("this network is newer than this app")
        return
    if bug == "cuts-the-dataset-at-100-bytes":
        dataset = dataset[:100]
    ask("PUT", f"{rest}/node/dataset/active", dataset.hex(), {"Content-Type": "text/plain"})
    ask("PUT", f"{rest}/node/state", '"enable"')


def main() -> None:
    """The kitchen, the bath, and the shed that is to belong to them."""
    bug = chosen_bug(BUGS)
    codes = {}
    for router in ("kitchen", "bath"):
        wait_for("CodeShown", actor=router)
        codes[router] = control("GET", f"accessories/{router}?secrets=true")["shows"]["code"]
    right, wrong = codes["kitchen"], codes["bath"]
    name = read_tlvs(fetch("kitchen", [wrong, wrong if bug == "types-the-same-code-again" else right], bug))
    print(f"kitchen: {name.get(NETWORK_NAME, b'unknown').decode()}")
    dataset = fetch("bath", [right, wrong], bug)
    extend(accessory("shed")["endpoints"]["rest"].rstrip("/"), dataset, bug)


if __name__ == "__main__":
    main()

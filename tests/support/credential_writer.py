"""A process that stores credentials one by one and says so after each: `python -m tests.support.credential_writer`.

Arguments: the store's file, the number of the first credential, how many. Prints each number once it is acknowledged.
"""

import sys
from pathlib import Path

from devices.stores.credentials import CredentialStore
from pairing.thread.credentials import Platform, call
from tests.support.credentials import APP, SEED_DATASET, agent_of, router

HOLDER = "phone"


def main() -> None:
    """Store `count` credentials from `first` on."""
    path, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with CredentialStore(path) as store:
        for number in range(first, first + count):
            agent = agent_of(number)
            with store.transaction(HOLDER) as transaction:
                result = call(
                    Platform.IOS_26,
                    "storeCredentials",
                    {"borderAgentID": agent, "activeOperationalDataSet": SEED_DATASET},
                    caller=APP,
                    rows=transaction.rows,
                    live=[router(xa=agent)],
                    date=number,
                )
                transaction.write(result.rows)
            print(number, flush=True)


if __name__ == "__main__":
    main()

"""`python -m tests.verify DIR`: replay every vector below DIR; see `scripts/verify_vectors`."""

import sys
from pathlib import Path

from tests.verify.replay import replay_directory


def main(arguments: list[str]) -> int:
    """0 when every file passes, 1 when one fails or there is none, 2 on wrong usage."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: verify_vectors DIR    (a folder with *.json vectors, at any depth)", file=sys.stderr)
        return 2
    passed = failed = 0
    for name, failure in replay_directory(Path(arguments[0])):
        print(f"ok   {name}" if failure is None else f"FAIL {name}: {failure}", flush=True)
        passed += failure is None
        failed += failure is not None
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

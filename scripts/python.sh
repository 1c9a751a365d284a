# Sourced by scripts/up and scripts/test: makes .venv where it is missing and installs the project with $extras.
# Leaves the interpreter in $PYTHON. A second run finds everything in place and takes no time.
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
venv=${PAIRLAB_VENV:-"$root/.venv"}
PYTHON="$venv/bin/python"

say() { printf '%s\n' "$*" >&2; }

find_python() {
    for candidate in ${PAIRLAB_PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(not sys.version_info >= (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "pairlab needs Python 3.11 or later; found: $(python3 --version 2>&1 || echo 'no python3')."
    say "Install it (python.org, Homebrew, apt, pyenv), or name one: PAIRLAB_PYTHON=/path/to/python3.12 $0"
    exit 3
}

if [ ! -x "$PYTHON" ]; then
    base=$(find_python)
    say "Making $venv with $("$base" --version 2>&1) ..."
    if ! "$base" -m venv "$venv" >&2; then
        rm -rf "$venv"
        say "The venv module of $base does not work; on Debian or Ubuntu: apt install python3-venv"
        exit 3
    fi
fi
if ! "$PYTHON" -c 'import sys; sys.exit(not sys.version_info >= (3, 11))' 2>/dev/null; then
    say "$venv holds $("$PYTHON" --version 2>&1 || echo 'a broken Python'), pairlab needs 3.11 or later; remove that folder and run $0 again."
    exit 3
fi

# What is installed is remembered by the content of pyproject.toml and the extras asked for.
stamp="$venv/.pairlab-$extras"
if ! cmp -s "$root/pyproject.toml" "$stamp"; then
    say "Installing pairlab[$extras] into $venv (once; takes a minute) ..."
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --editable "$root[$extras]" >&2 || {
        say "The installation failed; see pip's message above. Without a network nothing can be installed."
        exit 3
    }
    cp "$root/pyproject.toml" "$stamp"
fi

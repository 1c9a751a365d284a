"""The way in: runs a command and turns every way to fail into one line on stderr and an exit code.

0 done · 1 the answer is no · 2 wrong usage or a bad file · 3 the host cannot · 130 interrupted. Commands raise; nobody
but this module catches. Everything is imported inside `main`, so that even a Ctrl-C during start-up ends quietly.
"""

import sys
from collections.abc import Sequence

INTERRUPTED = 130
TRACEBACK_VARIABLE = "PAIRLAB_TRACEBACK"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `pairlab` with these arguments, by default those of the process, and return the exit code."""
    try:
        _prepare_streams()
        from devices.cli.commands import app

        code = app(args=arguments, prog_name="pairlab", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as problem:  # the one handler: no traceback ever reaches a user unasked
        return _report(problem)


def _prepare_streams() -> None:
    """A closed stream swallows what is written; a character that a terminal cannot show is shown escaped."""
    import os
    from pathlib import Path

    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # open until the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _report(problem: Exception) -> int:
    import os

    from devices.cli.output import complain

    message, code = explain(problem)
    if message:  # help for a command without arguments has been printed already
        complain(message)
    if os.environ.get(TRACEBACK_VARIABLE):
        import traceback

        traceback.print_exception(problem)
    return code


def explain(problem: Exception) -> tuple[str, int]:
    """What to say about an error, and the exit code it means."""
    import typer

    from devices.errors import EmulatorError, HostError, UsageError
    from pairing.errors import PairingError

    # Typer carries its own copy of Click or uses the installed one; its public names lead to the right base.
    click_error = typer.BadParameter.__mro__[2]
    if isinstance(problem, EmulatorError):
        return str(problem), problem.exit_code
    if isinstance(problem, PairingError):
        return str(problem), EmulatorError.exit_code
    if isinstance(problem, typer.Abort):
        return "aborted", INTERRUPTED
    if isinstance(problem, click_error):
        return _usage(problem), getattr(problem, "exit_code", 2)
    if isinstance(problem, OSError):
        place = f"{problem.filename}: " if problem.filename else ""
        is_wrong_path = isinstance(
            problem, FileNotFoundError | FileExistsError | NotADirectoryError | IsADirectoryError
        )
        code = UsageError.exit_code if is_wrong_path else HostError.exit_code
        return f"{place}{problem.strerror or problem}", code
    return (
        f"internal error: {type(problem).__name__}: {problem}; this is a defect, please report it with what "
        f"{TRACEBACK_VARIABLE}=1 adds",
        EmulatorError.exit_code,
    )


def _usage(problem: Exception) -> str:
    """A wrong option or argument, and where to read what is right."""
    context = getattr(problem, "ctx", None)
    message: str = getattr(problem, "format_message", problem.__str__)()
    if not message or context is None:
        return message
    ending = "" if message.endswith((".", "?")) else "."
    return f"{message}{ending} See '{context.command_path} --help'."


if __name__ == "__main__":
    sys.exit(main())

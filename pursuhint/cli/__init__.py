"""The ``pursuhint`` command: exit code 0 on success, 2 on bad input, 1 on failure; one line on stderr."""

from __future__ import annotations

import sys

import typer

from pursuhint.cli import analysis, cache, doctor, launch, runs, selection, students, training
from pursuhint.errors import PursuhintError, StopRequested

INTERRUPTED = 130
"""What typer makes of Ctrl-C."""

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Choose hint points by clustering a teacher's layers, then distil a student.",
)
for command in (
    training.demo,
    launch.app,
    analysis.layers,
    analysis.evaluate,
    analysis.analyse,
    analysis.similarity,
    analysis.hints,
    selection.stability,
    selection.compare,
    students.students,
    training.train,
    training.distill,
    training.export,
    doctor.doctor,
):
    app.command(command.__name__)(command)
app.add_typer(runs.app, name="runs")
app.add_typer(cache.app, name="cache")


def main(arguments: list[str] | None = None) -> None:
    """Run a command and end the process with its exit code.

    Args:
        arguments: of the command line; the process's own when None.
    """
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code; an error becomes one line on stderr."""
    try:
        code = app(arguments, standalone_mode=False)
    except StopRequested as stop:
        return _complain(str(stop), stop.exit_code, blame="")
    except PursuhintError as error:
        return _complain(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", 1)
    except MemoryError:
        return _complain("out of memory; use fewer probe images or a smaller batch", 1)
    except OSError as error:
        return _complain(f"{error.filename or 'a file'}: {error.strerror}; check the path and its rights", 1)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return _complain(f"{error.format_message().rstrip('.')}. See `pursuhint --help`.", 2)
    if code == INTERRUPTED:
        return _complain("interrupted", 1)
    return code if isinstance(code, int) else 0


def _complain(text: str, code: int, *, blame: str = "error: ") -> int:
    print(blame + " ".join(text.split()), file=sys.stderr)
    return code

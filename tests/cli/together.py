"""Commands in several processes: ``torchrun together.py FOLDER COMMAND ...``, with ``|`` between words."""

from __future__ import annotations

import io
import json
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

LATE = 1.0
"""Seconds by which all but the first process come later to each command."""


def main(folder: Path, commands: list[str]) -> None:
    """Run one command after the other and leave what each process said of it."""
    from pursuhint.cli import run
    from pursuhint.ranks import is_first_process, process_rank

    for place, command in enumerate(commands):
        if not is_first_process():
            time.sleep(LATE)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(command.split("|"))
        said = {"code": code, "out": out.getvalue(), "err": err.getvalue()}
        (folder / f"{place}-{process_rank()}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

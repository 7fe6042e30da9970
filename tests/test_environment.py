"""The set-up of `make app` and `make test`: every refusal is one line, and what is ready is left alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = "tools/environment.sh"
FILES = [SCRIPT, "Makefile", "requirements.txt", "requirements-test.txt", "constraints.txt", "pyproject.toml"]
WORKING_PYTHON = getattr(sys, "_base_executable", sys.executable)
CORE = "bash cat cut date df dirname flock grep head id make mkdir paste rm sed seq sha256sum sort tail tee"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that holds the set-up and nothing else."""
    for name in FILES:
        (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "checkout" / name)
    return tmp_path / "checkout"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder for the PATH with the plain tools alone: no Python, no apt-get, no browser."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in [*CORE.split(), "awk", "ls", "uname"]:
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def set_up(checkout: Path, programs: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the script as a fresh shell would: ``set_up("app", "8501", PYTHON="...")``."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(checkout / SCRIPT), *arguments],
            env={"PATH": str(programs), "HOME": str(checkout.parent)} | variables,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def add_python(folder: Path, name: str, *, answers: str) -> None:
    """Put a program of that name there that answers every probe with the given line."""
    path = folder / name
    path.write_text(f'#!/usr/bin/env bash\n[ "$1" = --version ] && echo "Python {answers}" || exit 1\n')
    path.chmod(0o755)


def add_bare_python(folder: Path, minor: int, path: str) -> None:
    """Put a suitable Python there that lacks ensurepip, as Debian ships it without python3-venv."""
    program = folder / f"python3.{minor}"
    program.write_text(f"#!/usr/bin/env bash\necho '{minor} no {path}'\n")
    program.chmod(0o755)


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that the script ended with."""
    lines = result.stderr.splitlines()
    assert result.returncode == 1, result
    assert not result.stdout
    assert len([line for line in lines if line.startswith("pursuhint: ")]) == 1, result.stderr
    assert lines[-1].startswith("pursuhint: ")
    return lines[-1]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_old_python_is_named(set_up, programs):
    add_python(programs, "python3", answers="3.9.2")
    line = refusal(set_up("test"))
    assert "Python 3.11 to 3.14 is needed, found Python 3.9.2 at " in line
    assert "PYTHON=" in line


def test_no_python_at_all(set_up):
    assert "Python 3.11 to 3.14 is needed, found none" in refusal(set_up("test"))


def test_missing_venv_package_is_named_for_the_newest_python(set_up, programs):
    add_bare_python(programs, 11, "/usr/bin/python3.11")
    add_bare_python(programs, 13, "/usr/bin/python3.13")
    line = refusal(set_up("test"))
    assert "python3.13-venv is missing" in line
    assert "sudo apt-get install python3.13-venv" in line


def test_apt_installs_the_venv_package_when_root_and_its_failure_is_one_line(set_up, programs):
    add_bare_python(programs, 12, "/usr/bin/python3.12")
    (programs / "id").unlink()
    for name, body in {
        "id": "echo 0",
        "apt-get": 'echo "$@" >>"$HOME/apt"; echo "E: none"; exit 100',
    }.items():
        (programs / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
        (programs / name).chmod(0o755)
    result = set_up("test")
    assert "python3.12-venv is missing and apt-get could not install it" in refusal(result)
    assert "apt-get: E: none" in result.stderr


@pytest.mark.parametrize("port", ["http", "0", "70000", "-1"])
def test_port_must_be_a_port(set_up, port):
    line = refusal(set_up("app", port, PYTHON=WORKING_PYTHON))
    assert f"PORT must be a number from 1 to 65535, found '{port}'" in line


def test_busy_port_is_said_before_anything_is_made(set_up, checkout, taken_port):
    line = refusal(set_up("app", str(taken_port), PYTHON=WORKING_PYTHON))
    assert f"port {taken_port} is in use by another program" in line
    assert "make app PORT=" in line
    assert not (checkout / ".venv").exists()


def test_full_disk_is_said_before_anything_is_made(set_up, checkout, programs):
    (programs / "df").unlink()
    (programs / "df").write_text("#!/usr/bin/env bash\necho Header; echo /dev/x 9999999 9 2097152 99% /\n")
    (programs / "df").chmod(0o755)
    line = refusal(set_up("test", PYTHON=WORKING_PYTHON))
    assert "no space: 10 GB are needed in" in line
    assert "2 GB are free" in line
    assert not (checkout / ".venv").exists()


@pytest.mark.slow
def test_no_network_is_one_line_and_half_made_is_made_anew(set_up, checkout):
    variables = {
        "PYTHON": WORKING_PYTHON,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": os.devnull,
    }
    assert "no network: the package registry cannot be reached" in refusal(set_up("test", **variables))
    assert (checkout / ".venv" / "bin" / "python").exists()
    (checkout / ".venv" / ".unfinished").touch()
    assert "Making .venv anew: its set-up did not end" in set_up("test", **variables).stderr

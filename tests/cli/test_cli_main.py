from __future__ import annotations

import re
import subprocess
import sys
from typing import get_args

import pytest

from pursuhint.cli import launch, main, options
from pursuhint.similarity import METRICS

COMMANDS = [
    "demo",
    "app",
    "layers",
    "evaluate",
    "analyse",
    "similarity",
    "hints",
    "train",
    "distill",
    "export",
    "doctor",
]
RUN_COMMANDS = ["list", "show", "follow", "stop", "resume", "delete"]


def test_the_command_as_a_process_ends_without_a_traceback():
    command = [sys.executable, "-m", "pursuhint", "hints", "--metric", "cka_liner"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        f"error: unknown metric `cka_liner`: did you mean `cka_linear`? Known: {', '.join(METRICS)}\n"
    )


def test_the_help_names_every_metric():
    assert re.findall(r"\w+", get_args(options.Metric)[1].help.replace(" or ", " ")) == list(METRICS)


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), (["runs", "show", "x"], 2)])
def test_main_ends_the_process_with_the_code(arguments: list[str], code: int, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == code


def test_help_names_every_command(pursuhint):
    answer = pursuhint("--help")
    assert answer.code == 0
    for name in (*COMMANDS, "runs"):
        assert f" {name} " in answer.out


def test_no_command_shows_the_help(pursuhint):
    answer = pursuhint()
    assert "distill" in answer.out + answer.err
    assert "Traceback" not in answer.err


def test_a_mistake_of_ours_is_not_hidden(pursuhint, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("pursuhint.cli.runs.list_runs", fail)
    with pytest.raises(ZeroDivisionError):
        pursuhint("runs", "list")


def test_the_app_is_started_at_the_address_and_port(pursuhint, monkeypatch):
    started: list[list[str]] = []
    monkeypatch.setattr(launch.subprocess, "call", lambda command: started.append(command) or 0)
    assert pursuhint("app", "--port", 8600).code == 0
    assert started[0][1].endswith("app/serve.py")
    assert started[0][2:] == ["--address", "127.0.0.1", "--port", "8600"]
    assert pursuhint("app", "--address", "0.0.0.0").code == 0
    assert started[1][2:] == ["--address", "0.0.0.0", "--port", "8501"]


def test_an_install_without_the_app_says_so(pursuhint, monkeypatch, tmp_path):
    monkeypatch.setattr(launch, "SCRIPT", tmp_path / "main.py")
    assert "the app is not installed: " in pursuhint("app").refused()


@pytest.mark.parametrize("command", [*COMMANDS, *(f"runs {name}" for name in RUN_COMMANDS)])
def test_every_command_explains_itself(pursuhint, command: str):
    answer = pursuhint(*command.split(), "--help")
    assert answer.code == 0
    assert "--help" in answer.out

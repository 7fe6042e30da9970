"""Commands in two processes that torchrun started: both end well, and the first one speaks for both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pursuhint.runs import create_run, find_run, list_runs
from tests.cli import together
from tests.cli.conftest import Answer
from tests.tiny import STUDENT
from tests.training.test_parts_of_a_batch import torchrun

TRAIN = f"train|--model|{STUDENT}|--data|digits|--epochs|1|--limit|96|--device|cpu|--threads|1"


@pytest.fixture
def both(tmp_path: Path):
    """Run commands in two processes, the second of which is late: ``both(command, ...)``."""

    def call(*commands: str) -> list[tuple[Answer, Answer]]:
        done = torchrun(together.__file__, tmp_path, *commands)
        assert done.returncode == 0, done.stderr
        said = [[tmp_path / f"{place}-{rank}.json" for rank in (0, 1)] for place in range(len(commands))]
        return [tuple(Answer(**json.loads(path.read_text())) for path in paths) for paths in said]

    return call


def test_the_first_process_looks_writes_and_answers(both, settings_for, tmp_path: Path):
    lost, again = create_run(settings_for(epochs=1)), create_run(settings_for(epochs=1))
    left = again.checkpoint_folder / "left"
    left.mkdir(parents=True)
    out = tmp_path / "teachers" / "mine.safetensors"
    trained, resumed, refused, retried = both(
        f"{TRAIN}|--batch-size|32|--out|{out}|--json",
        f"runs|resume|{lost.id}|--json",
        f"runs|resume|{lost.id}|--json",
        f"runs|retry|{again.id}|--anew|--json",
    )
    for first, second in (trained, resumed, retried):
        assert first.json["state"] == "finished"
        assert (second.code, second.out) == (0, ""), second.err
    (run,) = [one for one in list_runs() if one.id not in (lost.id, again.id)]
    assert trained[0].json["id"] == run.id
    assert out.read_bytes() == run.student.read_bytes()
    assert json.loads(out.with_suffix(".json").read_text())["model"] == STUDENT
    assert resumed[0].json["id"] == lost.id
    line = f"run `{lost.id}` is finished; only a stopped, failed or lost run can be resumed"
    assert refused[0].refused() == line
    assert refused[1] == Answer(2, "", "")
    assert not left.exists()
    assert [state["state"] for state in find_run(again.id).history().states] == ["running", "finished"]


@pytest.fixture
def second_of_two(monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("command", ["resume", "retry"])
def test_a_run_that_goes_on_together_stays_attached(pursuhint, settings_for, second_of_two, command: str):
    run = create_run(settings_for())
    line = pursuhint("runs", command, run.id, "--detach").refused()
    assert line.startswith("a run that torchrun starts cannot be detached; leave out `--detach`")
    assert not run.is_live()


def test_processes_that_train_together_are_not_tried_first(pursuhint, second_of_two):
    line = pursuhint(*TRAIN.split("|"), "--dry-run").refused()
    assert line.startswith("a run that torchrun starts cannot be tried first; leave out `--dry-run`, or")

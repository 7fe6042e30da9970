from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pursuhint.data import load_data
from pursuhint.errors import InputError, PursuhintError
from pursuhint.jobs import stopping
from pursuhint.runs import RunFolder, create_run, find_run, queue
from pursuhint.runs.worker import work
from pursuhint.training.selection import Selection
from tests.tiny import STUDENT


def wait_until(condition: Callable[[], bool], run: RunFolder) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, run.log.read_text()
        time.sleep(0.05)


@pytest.fixture
def finished(settings_for) -> RunFolder:
    run = create_run(settings_for(name="mine"))
    work(run)
    return run


def test_a_detached_run_from_start_to_student(pursuhint, plan_file: Path, tmp_path: Path):
    """distill --detach -> runs show -> stop -> resume -> export, as a person would."""
    started = pursuhint(
        *("distill", "--plan", plan_file, "--student", STUDENT, "--epochs", "16", "--limit", "96"),
        *("--batch-size", "48", "--device", "cpu", "--threads", "1", "--detach", "--json"),
    ).json
    run = find_run(started["id"])
    assert pursuhint("runs", "show", started["id"], "--json").json["state"] in ("queued", "running")
    wait_until(lambda: len(run.history().epochs) >= 1, run)
    shown = pursuhint("runs", "show", started["id"], "--json").json
    assert {"id", "name", "state", "pid", "epoch", "epochs", "metrics", "reason"} <= set(shown)
    assert (shown["id"], shown["state"], shown["pid"]) == (started["id"], "running", started["pid"])
    assert 1 <= shown["epoch"] < shown["epochs"] == 16
    assert 0 <= shown["metrics"]["validation_accuracy"] <= 1
    line = pursuhint("runs", "delete", started["id"]).refused()
    assert line.endswith("stop it before deleting it")
    assert (
        "is running; only a stopped, failed or lost" in pursuhint("runs", "resume", started["id"]).refused()
    )

    stopped = pursuhint("runs", "stop", started["id"], "--json").json
    assert stopped["state"] == "stopped"
    assert stopped["reason"].startswith("stopped in epoch")
    assert "only a live run can be stopped" in pursuhint("runs", "stop", started["id"]).refused()
    assert "is stopped and has no student yet" in pursuhint("export", started["id"]).refused()

    resumed = pursuhint("runs", "resume", started["id"], "--detach", "--json").json
    assert resumed["state"] in ("queued", "running")
    wait_until(lambda: not run.is_live(), run)
    ended = pursuhint("runs", "show", started["id"], "--json").json
    assert (ended["state"], ended["epoch"]) == ("finished", 16), run.log.read_text()
    target = tmp_path / "student.safetensors"
    assert pursuhint("export", started["id"], "--out", target, "--json").json["path"] == str(target)
    assert target.read_bytes() == run.student.read_bytes()
    assert [event["epoch"] for event in run.history().epochs] == list(range(1, 17))


def test_a_stopped_run_goes_on_here(pursuhint, settings_for):
    run = create_run(settings_for())
    with pytest.raises(Exception, match="stopped in epoch 2"):
        work(run, progress=lambda *_: run.ask_to_stop())
    found = pursuhint("runs", "resume", run.id, "--json").json
    assert (found["state"], found["epoch"]) == ("finished", 2)


def test_a_stopped_run_is_finished_where_it_stands(pursuhint, settings_for):
    run = create_run(settings_for())
    assert "has done no epoch" in pursuhint("runs", "finish", run.id).refused()
    with pytest.raises(Exception, match="stopped in epoch 2"):
        work(run, progress=lambda *_: run.ask_to_stop())
    found = pursuhint("runs", "finish", run.id, "--json").json
    assert (found["state"], found["epoch"], found["epochs"]) == ("finished", 1, 2)
    assert run.student.is_file()
    assert "is finished; only a stopped, failed" in pursuhint("runs", "finish", run.id).refused()


def test_going_on_with_other_threads_is_said(pursuhint, settings_for):
    run = create_run(settings_for())
    with pytest.raises(Exception, match="stopped in epoch 2"):
        work(run, progress=lambda *_: run.ask_to_stop())
    settings = run.path / "settings.json"
    settings.write_text(run.run_settings.model_copy(update={"threads": 2}).model_dump_json())
    said = " ".join(pursuhint("runs", "resume", run.id).err.split())
    torch.set_num_threads(1)
    assert "the run used 1 threads until here and goes on with 2; its figures can differ" in said


def test_list_json_holds_every_run(pursuhint, finished: RunFolder, settings_for):
    waiting = create_run(settings_for(name="waiting"))
    found = pursuhint("runs", "list", "--json").json
    assert {one["id"]: one["state"] for one in found} == {finished.id: "finished", waiting.id: "lost"}
    assert [one["id"] for one in found] == sorted((one["id"] for one in found), reverse=True)


def test_list_in_words(pursuhint, settings_for):
    assert pursuhint("runs", "list", "--json").json == []
    assert "no runs yet; start one with `pursuhint distill` or in the app" in pursuhint("runs", "list").out
    create_run(settings_for(name="waiting"))
    out = pursuhint("runs", "list").out
    assert "1 run\n" in out
    assert "0/2" in out


def test_a_run_that_cannot_be_read_is_left_out_of_the_list(pursuhint, finished: RunFolder, settings_for):
    broken = create_run(settings_for(name="broken"))
    (broken.path / "settings.json").write_text("{")
    answer = pursuhint("runs", "list", "--json")
    assert [one["id"] for one in answer.json] == [finished.id]
    assert "left out: " in answer.err
    assert broken.id in answer.err.replace("\n", "")


def test_show_and_follow_in_words(pursuhint, finished: RunFolder):
    shown = pursuhint("runs", "show", finished.id[-4:])
    assert "mine  finished  epoch 2/2" in shown.out
    words = "the centre of each cluster by PURSUhInT, Linear CKA, K = 3"
    assert f"hint points layer1.0, layer2.0, layer3.0: {words}" in " ".join(shown.out.split())
    assert "test_accuracy" in shown.out
    followed = pursuhint("runs", "follow", finished.id)
    assert followed.code == 0
    assert [line[:10] for line in followed.out.splitlines()[:2]] == ["epoch    1", "epoch    2"]


def test_a_finished_run_is_neither_stopped_nor_resumed(pursuhint, finished: RunFolder):
    assert "is finished; only a live run can be stopped" in pursuhint("runs", "stop", finished.id).refused()
    assert "is finished; only a stopped, failed" in pursuhint("runs", "resume", finished.id).refused()


def test_a_notebook_that_trains_is_asked_to_stop_and_left_alone(pursuhint, settings_for, monkeypatch):
    """This process here, which holds the run and does not listen."""
    for name in ("ASKED", "TERMINATED", "KILLED"):
        monkeypatch.setattr(stopping, name, 0.1)
    run = create_run(settings_for())
    with run.claim():
        answer = pursuhint("runs", "stop", run.id, "--json")
    assert answer.json["state"] == "stopping"
    assert f"process {os.getpid()}, which does more than this run, goes on" in " ".join(answer.err.split())


def test_mirrors_are_completed_from_the_journal(pursuhint, settings_for):
    pytest.importorskip("tensorboard")
    run = create_run(settings_for(epochs=1, mirrors=("tensorboard",)))
    work(run)
    assert pursuhint("runs", "mirror", run.id, "--json").json == {"id": run.id, "mirrors": ["tensorboard"]}
    assert "tensorboard complete" in pursuhint("runs", "mirror", run.id).out
    other = create_run(settings_for())
    with other.claim():
        line = pursuhint("runs", "mirror", other.id).refused()
    assert line.endswith(
        "is running; only a stopped, failed, lost or finished run can be mirrored; a live one mirrors itself"
    )


def test_a_finished_run_neither_starts_again_nor_begins_anew(finished: RunFolder, settings_for):
    for act in (finished.launch, finished.begin_anew):
        with pytest.raises(
            InputError, match=f"run `{finished.id}` is finished; only a stopped, failed or lost"
        ):
            act()
    live = create_run(settings_for())
    with (
        live.claim(),
        pytest.raises(InputError, match=f"run `{live.id}` is running; stop it before it begins"),
    ):
        live.begin_anew()


@pytest.mark.parametrize("anew", [[], ["--anew"]], ids=["from its checkpoint", "anew"])
def test_a_failed_run_is_tried_again(pursuhint, settings_for, monkeypatch, anew: list[str]):
    whole = create_run(settings_for())
    work(whole)
    run = create_run(settings_for())
    original = Selection.final
    monkeypatch.setattr(Selection, "final", lambda *_, **__: (_ for _ in ()).throw(OSError(5, "I/O error")))
    with pytest.raises(PursuhintError, match="I/O error"):
        work(run)
    monkeypatch.setattr(Selection, "final", original)
    assert pursuhint("runs", "show", run.id, "--json").json["state"] == "failed"
    assert pursuhint("runs", "retry", run.id, *anew, "--json").json["state"] == "finished"
    assert ("resume" in run.history().facts) == (not anew)
    assert run.student.read_bytes() == whole.student.read_bytes()
    assert [epoch["epoch"] for epoch in run.history().epochs] == [1, 2]
    line = pursuhint("runs", "retry", run.id, *anew).refused()
    assert line == f"run `{run.id}` is finished; only a failed or lost run can be tried again"


def test_a_run_here_waits_for_the_device_and_says_so(pursuhint, settings_for, monkeypatch):
    monkeypatch.setattr(queue, "EVERY", 0.01)
    run = create_run(settings_for(epochs=1))
    with queue.turn("other", "cpu", waiting=pytest.fail, stop_asked=lambda: False):
        asked = iter([False, False, True])
        monkeypatch.setattr(RunFolder, "stop_asked", lambda _: next(asked))
        answer = pursuhint("runs", "resume", run.id, "--json")
        said = f"{run.id} waits for `cpu`: 1 run before it, first other; `--now` trains beside it"
        assert answer.err.replace("\n", "").replace(" ", "").startswith(said.replace(" ", ""))
        assert "stopped while it waited for its turn" in answer.err
        monkeypatch.setattr(RunFolder, "stop_asked", lambda _: False)
        assert pursuhint("runs", "resume", run.id, "--now", "--json").json["state"] == "finished"


def test_gc_removes_what_nobody_needs(pursuhint, finished: RunFolder, settings_for):
    stopped = create_run(settings_for())
    with pytest.raises(PursuhintError):
        work(stopped, progress=lambda *_: stopped.ask_to_stop())
    part = stopped.checkpoint_folder / ".epoch-0002-step-000000.pt.a1b2c3d4"
    part.write_bytes(bytes(1000))
    mine = stopped.path / ".notes.txt"
    mine.write_text("mine")
    going = [*finished.checkpoint_folder.iterdir(), part]
    size = sum(path.stat().st_size for path in going)
    listed = pursuhint("runs", "gc", "--dry-run", "--json").json
    assert {one["path"] for one in listed["removed"]} == {str(path) for path in going}
    assert "part of a file whose writer was killed" in pursuhint("runs", "gc", "--dry-run").out
    assert part.exists()
    with stopped.hold():
        busy = pursuhint("runs", "gc", "--dry-run", "--json").json["removed"]
        assert str(part) not in {one["path"] for one in busy}
    assert pursuhint("runs", "gc", "--json").json["bytes"] == size
    assert not any(path.exists() for path in going)
    assert mine.exists()
    assert finished.student.is_file()
    assert pursuhint("runs", "resume", stopped.id, "--json").json["state"] == "finished"
    assert "0 files" not in pursuhint("runs", "gc").out
    assert "0 files, 0.0 kB freed" in pursuhint("runs", "gc").out


def test_delete(pursuhint, finished: RunFolder):
    assert pursuhint("runs", "delete", finished.id, "--json").json == {"id": finished.id, "deleted": True}
    assert not finished.path.exists()
    assert f"unknown run `{finished.id}`" in pursuhint("runs", "show", finished.id).refused()


@pytest.mark.parametrize("command", ["show", "stop", "resume", "delete", "follow"])
def test_an_unknown_run_is_refused(pursuhint, command: str):
    assert pursuhint("runs", command, "nope").refused() == "unknown run `nope`. Known: none"


def test_an_error_leaves_the_json_to_nobody(pursuhint):
    """A program that parses stdout finds it empty, a code that is not 0, and the reason beside it."""
    assert pursuhint("runs", "show", "nope", "--json").refused() == "unknown run `nope`. Known: none"
    assert "error leaves it empty" in " ".join(
        pursuhint("runs", "show", "--help").out.replace("│", " ").split()
    )


def test_a_run_that_was_stopped_here_is_told_without_blame(pursuhint, settings_for, monkeypatch):
    run = create_run(settings_for())
    monkeypatch.setattr(RunFolder, "stop_asked", lambda _: True)
    answer = pursuhint("runs", "resume", run.id, "--json")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "stopped in epoch 1 after 0 of 3 steps\n"


def test_no_command_shows_the_help(pursuhint):
    answer = pursuhint("runs")
    assert "resume" in answer.out + answer.err
    assert "Traceback" not in answer.err


def test_the_students_layers_are_compared_with_the_teachers(pursuhint, finished, tiny_analysis, tmp_path):
    asked = (
        "similarity",
        "--analysis",
        tiny_analysis.path,
        "--against",
        finished.id,
        "--metric",
        "cka_linear",
    )
    found = pursuhint(*asked, "--out", tmp_path / "cross.npz", "--json").json
    assert found["rows"] == [layer.name for layer in tiny_analysis.layers]
    assert found["columns"] == ["layer1.0", "layer2.0", "layer3.0"]
    with np.load(tmp_path / "cross.npz") as arrays:
        values = arrays["similarity"]
    assert values.shape == (6, 3)
    model, data = load_model(finished.student, STUDENT), load_data("digits")
    features = rows_of(model, data, tiny_analysis)
    teachers = np.array(tiny_analysis.features("layer3.1"))
    expected = cka(teachers, features["layer3.0"])
    assert values[5, 2] == pytest.approx(expected, abs=1e-5)
    assert "resnet8" in pursuhint(*asked).out


def cka(first: np.ndarray, second: np.ndarray) -> float:
    first, second = (rows - rows.mean(axis=0) for rows in (first.astype(float), second.astype(float)))
    norm = np.linalg.norm
    return norm(first.T @ second) ** 2 / (norm(first.T @ first) * norm(second.T @ second))


def load_model(weights: Path, spec: str):
    from pursuhint.models import build_model

    return build_model(spec, classes=10, weights=weights).model


def rows_of(model, data, analysis) -> dict[str, np.ndarray]:
    import torch

    from pursuhint.preprocess import KNOWN
    from pursuhint.recorder import ActivationRecorder

    images = KNOWN["digits"].apply(data.train.source[analysis.probe["ids"]])
    with torch.inference_mode(), ActivationRecorder(model.eval(), ["layer3.0"]) as recorder:
        model(images)
    return {name: maps.mean(dim=(2, 3)).numpy() for name, maps in recorder.outputs.items()}


def test_networks_that_saw_other_images_are_not_compared(pursuhint, finished, tiny_analysis, tmp_path):
    other = tmp_path / "other"
    answer = pursuhint(
        *("analyse", "--teacher", STUDENT, "--weights", finished.student, "--preprocess", "digits"),
        *("--samples", "150", "--out", other, "--allow-weak-teacher"),
    )
    assert answer.code == 0, answer.err
    line = pursuhint("similarity", "--analysis", tiny_analysis.path, "--against", other).refused()
    assert "both networks must have seen the same probe images: found 200 of `digits` and 150" in line


def test_a_run_without_a_student_is_refused(pursuhint, settings_for, tiny_analysis):
    run = create_run(settings_for())
    line = pursuhint("similarity", "--analysis", tiny_analysis.path, "--against", run.id).refused()
    assert f"run `{run.id}` has no student yet: it is lost" in line


def test_a_run_is_labelled(pursuhint, finished: RunFolder):
    found = pursuhint(
        "runs", "label", finished.id, "--name", "other", "--tag", "a", "--tag", "b", "--json"
    ).json
    assert (found["name"], found["tags"]) == ("other", ["a", "b"])
    assert "other  finished" in pursuhint("runs", "label", finished.id, "--tag", "c").out
    assert finished.labels.tags == ("c",)
    assert "at most 80 letters" in pursuhint("runs", "label", finished.id, "--name", "x" * 81).refused()


def test_a_student_is_examined(pursuhint, finished: RunFolder):
    figures = pursuhint("runs", "examine", finished.id, "--json").json
    final = finished.history().facts["final"]
    assert figures["student"]["accuracy"] == pytest.approx(final["test_accuracy"])
    lines = pursuhint("runs", "examine", finished.id).out.splitlines()  # of the card that was kept
    whole = next(line for line in lines if "all" in line.split())
    assert f"{100 * figures['change']['accuracy']:+.1f}" in whole
    assert f"{100 * figures['teacher']['accuracy']:.2f} %" in whole

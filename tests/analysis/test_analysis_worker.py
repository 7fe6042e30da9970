from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from pursuhint.analysis import AnalysisFolder, AnalysisSettings, maps, request_analysis
from pursuhint.analysis.progress import STAGES
from pursuhint.analysis.worker import analyse, main, work
from pursuhint.errors import InputError, PursuhintError
from pursuhint.jobs import Cancelled
from pursuhint.jobs.stopping import stop_soon
from tests.tiny import TEACHER


@pytest.fixture
def settings(tiny_weights: Path) -> AnalysisSettings:
    return AnalysisSettings(
        teacher=TEACHER,
        weights=str(tiny_weights),
        preprocess="digits",
        samples=60,
        device="cpu",
        threads=1,
    )


def test_a_finished_analysis_with_the_same_settings_is_returned(settings, tmp_path: Path):
    first = analyse(settings, tmp_path / "a")
    before = (first.path / "analysis.json").stat().st_mtime_ns
    again = analyse(settings.model_copy(update={"threads": 2}), tmp_path / "a")
    assert (again.path / "analysis.json").stat().st_mtime_ns == before


def test_the_first_stage_alone_is_completed_later_without_reading_the_layers_again(
    settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = analyse(settings, tmp_path / "a", whole=False)
    assert (first.test_score, first.students) == (None, ())
    kept = first.similarity("cka_linear").values
    before = (first.path / "analysis.json").stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr("pursuhint.analysis.worker._read_layers", lambda *_: pytest.fail("read again"))
        whole = analyse(settings, tmp_path / "a")
    assert whole.test_score["n"] == 500
    assert whole.students
    assert (whole.path / "analysis.json").stat().st_mtime_ns == before
    np.testing.assert_array_equal(whole.similarity("cka_linear").values, kept)


def test_other_settings_replace_everything(settings, tmp_path: Path):
    first = analyse(settings, tmp_path / "a")
    first.similarity("cka_linear")
    first.image_maps.save("layer1.0", np.zeros((60, 2)))
    first.save_layer_map(first.similarity("cka_linear"), np.zeros((6, 2)))
    second = analyse(settings.model_copy(update={"samples": 50, "exclude": ("layer1*",)}), tmp_path / "a")
    assert [layer.name for layer in second.layers] == ["layer2.0", "layer2.1", "layer3.0", "layer3.1"]
    assert second.features("layer2.0").shape[0] == len(second.probe["ids"]) == 50
    assert second.similarity("cka_linear").layers == ("layer2.0", "layer2.1", "layer3.0", "layer3.1")
    assert "layer2.0" in second.image_maps.missing()
    assert not (second.path / "layer-maps").exists()
    assert len(list((second.path / "features").iterdir())) == 4


def test_a_folder_with_other_files_is_left_alone(settings, tmp_path: Path):
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files and no analysis; choose a new or empty folder"):
        analyse(settings, tmp_path)
    assert (tmp_path / "features" / "thesis.txt").read_text() == "mine"


def test_an_analysis_that_another_process_makes_is_left_alone(settings, tmp_path: Path):
    folder = analyse(settings, tmp_path / "a")
    with folder.claim(), pytest.raises(PursuhintError, match="another process already works on `a`"):
        analyse(settings.model_copy(update={"samples": 50}), tmp_path / "a")
    assert AnalysisFolder.open(tmp_path / "a").card.samples == 60


def test_a_weak_teacher_needs_permission(settings, tmp_path: Path):
    wrong = settings.model_copy(update={"preprocess": "9,9,9/0.01,0.01,0.01"})
    with pytest.raises(InputError, match="near chance .* allow it with `--allow-weak-teacher`"):
        analyse(wrong, tmp_path / "a")
    folder = AnalysisFolder(tmp_path / "a")
    assert not folder.is_ready
    assert folder.last_state()["state"] == "failed"
    with pytest.raises(InputError, match="holds no analysis: the teacher is right on"):
        AnalysisFolder.open(tmp_path / "a")
    allowed = analyse(wrong.model_copy(update={"allow_weak_teacher": True}), tmp_path / "a")
    assert allowed.card.seen_accuracy < 0.2


def test_more_samples_than_images_are_refused(settings, tmp_path: Path):
    with pytest.raises(InputError, match="`samples` must be at most 1000"):
        analyse(settings.model_copy(update={"samples": 2000}), tmp_path / "a")


def test_a_request_to_stop_cancels_and_the_next_call_starts_anew(settings, tmp_path: Path):
    def ask(stage: str, done: int, total: int) -> None:
        AnalysisFolder(tmp_path / "a").ask_to_stop()

    with pytest.raises(Cancelled, match="the analysis was cancelled"):
        analyse(settings, tmp_path / "a", progress=ask)
    folder = AnalysisFolder(tmp_path / "a")
    assert folder.last_state()["state"] == "stopped"
    assert not folder.is_ready
    assert analyse(settings, tmp_path / "a").is_ready


def test_an_unforeseen_error_is_recorded(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from pursuhint import teacher

    def out_of_memory(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA out of memory\nTried to allocate")

    monkeypatch.setattr(teacher, "score", out_of_memory)
    with pytest.raises(PursuhintError, match="`a` failed: CUDA out of memory; see `.*log.txt`"):
        analyse(settings, tmp_path / "a")
    folder = AnalysisFolder(tmp_path / "a")
    assert (folder.last_state()["state"], folder.last_state()["reason"]) == ("failed", "CUDA out of memory")
    assert "Traceback" in folder.log.read_text()


def test_a_worker_does_the_request_and_is_not_started_twice(settings, pursuhint_home: Path):
    first = request_analysis(settings)
    assert first.path == pursuhint_home / "analyses" / settings.key()
    pid = first.last_state()["pid"]
    assert request_analysis(settings).last_state()["pid"] == pid
    deadline = time.monotonic() + 120
    while first.is_live():
        assert time.monotonic() < deadline, first.log.read_text()
        time.sleep(0.05)
    assert first.last_state()["state"] == "finished", first.log.read_text()
    ready = request_analysis(settings)
    assert ready.is_ready
    assert [e["state"] for e in ready.journal.read()[0] if e["kind"] == "state"].count("running") == 1
    assert ready.test_score["n"] == 500


def test_a_request_that_cannot_be_used_starts_nothing(settings, pursuhint_home: Path):
    with pytest.raises(InputError, match="`samples` must be at least 4"):
        request_analysis(settings.model_copy(update={"samples": 1}))
    assert not (pursuhint_home / "analyses").exists()


def test_the_process_ends_with_the_errors_code(settings, tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(os, "nice", lambda _: 0)
    folder = AnalysisFolder(tmp_path / "a")
    folder.create(settings.model_copy(update={"teacher": "zoo:resnet9"}).model_dump(mode="json"))
    monkeypatch.setattr("sys.argv", ["worker", str(folder.path)])
    assert main() == 2
    assert "error: unknown zoo model `resnet9`" in capsys.readouterr().err


def test_working_on_a_prepared_folder_is_what_a_worker_does(settings, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(os, "nice", lambda _: 0)
    folder = AnalysisFolder(tmp_path / "a")
    folder.create(settings.model_dump(mode="json"))
    assert work(folder).is_ready


def test_a_layer_map_is_made_once(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = analyse(settings, tmp_path / "a")
    made: list[str] = []

    def place(similarity, *, method: str) -> np.ndarray:
        made.append(method)
        return np.zeros((len(similarity.layers), 2), dtype=np.float32)

    monkeypatch.setattr("pursuhint.embedding.map_layers", place)
    for _ in range(2):
        assert maps.make_map(folder, "cka_linear").shape == (6, 2)
    assert made == ["umap"]
    assert maps.make_map(folder, "cka_linear", 40).shape == (6, 2) and made == ["umap"] * 2


def test_who_asks_for_a_layer_map_in_the_making_waits_for_it(settings, tmp_path: Path, monkeypatch):
    folder, made, begun = analyse(settings, tmp_path / "a"), [], threading.Event()

    def place(similarity, *, method: str) -> np.ndarray:
        made.append(method)
        begun.set()
        time.sleep(0.3)
        return np.ones((6, 2), dtype=np.float32)

    monkeypatch.setattr("pursuhint.embedding.map_layers", place)
    first = threading.Thread(target=maps.make_map, args=(folder, "cka_linear"))
    first.start()
    assert begun.wait(30)
    assert maps.make_map(folder, "cka_linear").tolist() == [[1.0, 1.0]] * 6 and made == ["umap"]
    first.join()


def test_a_map_that_fails_apart_is_said(tiny_analysis, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(PursuhintError, match="^unknown metric `cka_linea`"):
        maps.make_map_apart(tiny_analysis, "cka_linea")

    def late(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("maps", 180)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(
        PursuhintError, match="the map under `cka_linear` took longer than 180 s; try something smaller"
    ):
        maps.make_map_apart(tiny_analysis, "cka_linear")


def wait_until(true) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_cancelling_ends_the_process_and_leaves_nothing_half_done(settings, pursuhint_home: Path):
    folder = request_analysis(settings)
    wait_until(lambda: folder.last_state()["state"] == "running")
    pid = folder.last_state()["pid"]
    began = time.monotonic()
    stop_soon(folder)
    assert time.monotonic() - began < 0.5  # the page does not wait
    wait_until(lambda: not folder.is_live())
    assert folder.last_state()["state"] == "stopped" and folder.last_state()["reason"] == "cancelled"
    assert not folder.is_ready and not (folder.path / "features").exists()
    wait_until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    with pytest.raises(InputError, match="holds no analysis: cancelled"):
        AnalysisFolder.open(folder.path)


def test_the_journal_tells_every_stage(settings, tmp_path: Path):
    folder = analyse(settings, tmp_path / "a")
    events, _ = folder.journal.read()
    assert [e["stage"] for e in events if e["kind"] == "stage"] == list(STAGES)[1:]
    assert {stage.standing for stage in folder.progress().stages[:-1]} == {"done"}
    assert [stage.title for stage in folder.progress().stages] == list(STAGES.values())

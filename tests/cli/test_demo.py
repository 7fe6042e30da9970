"""The demo with a small teacher, one student, one seed and one epoch; the real one takes a minute."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pursuhint import demo
from pursuhint.analysis import AnalysisSettings
from pursuhint.demo import TINY, describe, wilson_interval
from pursuhint.models import build_model
from tests.tiny import TEACHER


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch, tiny_weights: Path) -> None:
    settings = AnalysisSettings(
        teacher=TEACHER,
        weights=str(tiny_weights),
        preprocess="digits",
        samples=100,
        device="cpu",
        threads=1,
    )
    monkeypatch.setattr(demo, "AnalysisSettings", lambda **_: settings)
    monkeypatch.setattr(demo, "SEEDS", {TINY: (0,)})
    monkeypatch.setattr(demo, "BUDGET", demo.BUDGET | {"epochs": 1})
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(demo, "ProcessPoolExecutor", lambda **_: ThreadPoolExecutor(1))


@pytest.mark.slow
def test_the_real_one_does_what_the_readme_says(pursuhint, tmp_path: Path):
    report = pursuhint("demo", "--out", tmp_path, "--json").json
    assert report["teacher"]["accuracy"] >= 0.99
    assert {(entry["student"], entry["arm"]) for entry in report["students"]} == {
        (student, arm) for student in demo.SEEDS for arm in demo.ARMS
    }
    assert all(entry["accuracy"] > 0.5 for entry in report["students"])


def test_the_whole_job_in_one_command(pursuhint, small_demo, tmp_path: Path, tiny_run):
    report = pursuhint("demo", "--out", tmp_path, "--threads", "1", "--json").json
    teacher = report["teacher"]
    assert teacher["accuracy"] == tiny_run.summary()["metrics"]["test_accuracy"]
    assert teacher["parameters"] == tiny_run.summary()["parameters"]
    assert len(report["hint_points"]) == len(report["clusters"]) == 3
    assert [entry["arm"] for entry in report["students"]] == ["none", "kd", "hints"]
    for entry in report["students"]:
        assert entry["parameters"] == 5006
        assert entry["compression"] == pytest.approx(teacher["parameters"] / 5006)
        assert entry["loss"] == pytest.approx(teacher["accuracy"] - entry["accuracy"])
        low, high = entry["interval"]
        assert 0 <= low <= entry["accuracy"] <= high <= 1
        assert entry["seconds"] > 0
    written = json.loads((tmp_path / "report.json").read_text())
    assert written == report
    students = sorted((tmp_path / "students").iterdir())
    assert [path.name for path in students] == [
        f"tiny-{arm}-seed0.safetensors" for arm in ("hints", "kd", "none")
    ]
    for path in students:
        assert build_model(TINY, classes=10, weights=path).parameters == 5006
    ((title, columns, rows),) = describe(report)
    assert "5,006 parameters, 8.72 times smaller" in title
    assert all(len(row) == len(columns) for row in rows)
    assert [row[0] for row in rows] == ["no teacher", "KD", "KD + hints"]


@pytest.mark.parametrize(("right", "n"), [(485, 500), (500, 500), (0, 500), (3, 7)])
def test_the_interval_solves_wilsons_equation(right: int, n: int):
    """Its ends are the shares p with |x/n - p| = 1.96 sqrt(p (1 - p) / n)."""
    for p in wilson_interval(right / n, n):
        assert abs(right / n - p) == pytest.approx(1.96 * (p * (1 - p) / n) ** 0.5, abs=1e-9)

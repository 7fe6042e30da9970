"""The maps of the images: kept, noticed when damaged, made in depth order by a job that can be watched."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder, image_map_worker
from pursuhint.analysis.image_map_worker import make_image_maps, work
from pursuhint.errors import InputError, PursuhintError, StorageError
from pursuhint.jobs import Cancelled

NAMES = ["layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0", "layer3.1"]


@pytest.fixture
def folder(tiny_analysis, tmp_path: Path) -> AnalysisFolder:
    """A copy that may be written to."""
    shutil.copytree(tiny_analysis.path, tmp_path / "copy", ignore=shutil.ignore_patterns("matrices"))
    return AnalysisFolder.open(tmp_path / "copy")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Write down features and start of each map instead of making it."""
    calls: list[tuple[np.ndarray, np.ndarray | None]] = []

    def place(features: np.ndarray, *, start: np.ndarray | None = None) -> np.ndarray:
        calls.append((np.array(features), start))
        return np.full((len(features), 2), len(calls)) + np.arange(len(features))[:, None] / 7

    monkeypatch.setattr("pursuhint.embedding.map_images", place)
    return calls


def test_a_map_comes_back_nearly_exact(folder):
    positions = np.random.default_rng(0).uniform(-12, 12, size=(200, 2))
    folder.image_maps.save("layer2.0", positions)
    found = folder.image_maps.load("layer2.0")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, positions, atol=0.005)
    assert folder.image_maps.load("layer2.1") is None
    assert folder.image_maps.missing() == [name for name in NAMES if name != "layer2.0"]


def test_what_is_damaged_or_of_another_kind_is_missing(folder):
    maps = folder.image_maps
    for index, name in enumerate(NAMES):
        maps.save(name, np.zeros((199 if index == 0 else 200, 2)) + (np.nan if index == 1 else 0))
    (maps.path / "002.npz").write_bytes((maps.path / "002.npz").read_bytes()[:-30])
    np.savez(maps.path / "003.npz", positions=np.zeros((200, 2), np.float16), format=1)
    np.savez(maps.path / "004.npz", places=np.zeros((200, 2), np.float16), format=2)
    assert maps.missing() == NAMES[:5]


def test_maps_are_made_in_depth_order_each_from_the_one_before(folder, made):
    told = []
    make_image_maps(folder, progress=lambda *what: told.append(what))
    assert [start is None for _, start in made] == [True, *[False] * 5]
    for name, (features, _) in zip(NAMES, made, strict=True):
        np.testing.assert_array_equal(features, folder.features(name))
    for name, (_, start) in zip(NAMES, made[1:], strict=False):
        np.testing.assert_array_equal(start, folder.image_maps.load(name))
    assert told == [("mapping the images", done, 6) for done in (*range(6), 6)]
    make_image_maps(folder)
    assert len(made) == 6  # kept


def test_only_the_damaged_one_is_made_again_from_the_one_before(folder, made):
    make_image_maps(folder)
    (folder.image_maps.path / "003.npz").write_bytes(b"PK")
    make_image_maps(folder)
    assert len(made) == 7
    np.testing.assert_array_equal(made[-1][0], folder.features("layer2.1"))
    np.testing.assert_array_equal(made[-1][1], folder.image_maps.load("layer2.0"))


def test_a_cancelled_job_keeps_what_it_made_and_goes_on_later(folder, made):
    maps = folder.image_maps
    maps.path.mkdir()

    def ask(stage: str, done: int, total: int) -> None:
        if done == 2:
            maps.ask_to_stop()

    with pytest.raises(Cancelled, match="making the maps of the images was cancelled"):
        work(folder, progress=ask)
    assert maps.trouble() == "stopped: cancelled"
    assert maps.missing() == NAMES[2:]
    (maps.path / "stop").unlink()
    work(folder)
    assert maps.trouble() == "" and maps.missing() == [] and len(made) == 6


def test_a_job_that_fails_says_why(folder, monkeypatch):
    folder.image_maps.path.mkdir()

    def fail(*_: object, **__: object) -> None:
        raise InputError("UMAP needs at least 4 points: found 3; use more")

    monkeypatch.setattr("pursuhint.embedding.map_images", fail)
    with pytest.raises(InputError):
        work(folder)
    assert folder.image_maps.trouble() == "failed: UMAP needs at least 4 points: found 3; use more"


def test_how_far_it_is_and_how_long_it_will_take_is_read_from_the_journal(folder):
    maps = folder.image_maps
    assert (maps.trouble(), maps.standing()) == ("", (0, 6, ""))
    maps.path.mkdir()
    lines = [
        '{"time": 50, "kind": "progress", "done": 5, "total": 6}',
        '{"time": 90, "kind": "state", "state": "running"}',
    ]
    lines += [
        f'{{"time": {100 + 10 * done}, "kind": "progress", "done": {done}, "total": 6}}' for done in (1, 2, 3)
    ]
    maps.journal.path.write_text("\n".join(lines[:2]) + "\n")
    assert maps.standing() == (0, 6, "")
    maps.journal.path.write_text("\n".join(lines) + "\n")
    assert maps.standing() == (3, 6, "about 30 seconds left")


def test_a_worker_of_its_own_ends_by_itself(folder):
    for name in NAMES:  # compiling UMAP takes half a minute; that it maps is tested where maps are made
        folder.image_maps.save(name, np.zeros((200, 2)))
    assert folder.image_maps.stamp() > 0
    folder.image_maps.request()
    deadline = time.monotonic() + 240
    while folder.image_maps.is_live():
        assert time.monotonic() < deadline, folder.image_maps.log.read_text()
        time.sleep(0.1)
    assert folder.image_maps.last_state()["state"] == "finished", folder.image_maps.log.read_text()
    assert folder.image_maps.standing() == (6, 6, "")


def test_the_process_ends_with_the_errors_code(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "nice", lambda _: 0)
    monkeypatch.setattr("sys.argv", ["worker", str(tmp_path / "none" / "image-maps")])
    assert image_map_worker.main() == 2
    assert "holds no analysis" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said(folder, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(
        StorageError, match="cannot write `.*image-maps`: Permission denied; analyse the teacher"
    ):
        folder.image_maps.request()


def test_flattened_activations_have_no_maps(folder):
    folder.card = folder.card.model_copy(update={"pooling": "flatten"})
    with pytest.raises(InputError, match="too large to be kept"):
        _ = folder.image_maps


def test_an_unknown_layer_is_refused(tiny_analysis):
    with pytest.raises(PursuhintError, match="unknown layer `layer2.9`: did you mean `layer2"):
        tiny_analysis.image_maps.load("layer2.9")


def test_the_built_in_analysis_has_a_map_of_every_layer_that_continues_the_one_before():
    folder = AnalysisFolder.open(BUILTIN_ANALYSIS)
    assert folder.image_maps.missing() == []
    maps = [folder.image_maps.load(layer.name) for layer in folder.layers]
    size = np.sqrt(maps[0].var(axis=0).sum())
    ways = [
        np.linalg.norm(after - before, axis=1).mean() / size
        for before, after in zip(maps, maps[1:], strict=False)
    ]
    assert np.median(ways) < 0.3  # of maps made one by one and laid over each other: 0.5 to 0.9

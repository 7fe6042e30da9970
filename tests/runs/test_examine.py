from __future__ import annotations

import numpy as np
import pytest
import torch

from pursuhint.data import load_data
from pursuhint.errors import InputError, PursuhintError
from pursuhint.models import build_model
from pursuhint.preprocess import parse_preprocess
from pursuhint.runs import create_run, examine
from pursuhint.runs.examine import Examination
from pursuhint.runs.worker import work
from pursuhint.teacher import score
from tests.tiny import STUDENT


def test_the_card_says_what_was_measured_elsewhere(settings_for, tmp_path, tiny_teacher):
    run = create_run(settings_for(epochs=1), folder=tmp_path)
    final = work(run)
    card = examine.examine(run)
    figures, test = card.figures(), load_data("digits").test
    assert card.accuracy == pytest.approx(final["test_accuracy"])
    expected = score(tiny_teacher.model, test, tiny_teacher.preprocess).accuracy
    assert figures["teacher"]["accuracy"] == pytest.approx(expected)
    torch.manual_seed(3)
    fresh = build_model(STUDENT, classes=10).model
    untrained = score(fresh, test, parse_preprocess("digits")).accuracy
    assert figures["untrained_accuracy"] == pytest.approx(untrained)
    kept = Examination(run)
    assert kept.is_done and kept.last_state()["state"] == "finished"
    assert kept.card().figures() == figures
    apart = card.disagreements()
    assert card.pictured.tolist() == apart[: examine.PICTURED].tolist()
    np.testing.assert_array_equal(card.thumbnails, test.images(card.pictured))
    run.delete()
    assert not run.path.exists()


def test_what_stands_in_the_way_is_recorded(settings_for, tmp_path, monkeypatch):
    run = create_run(settings_for(epochs=1), folder=tmp_path)
    with pytest.raises(InputError, match="has no student yet; wait until it has finished"):
        Examination(run).launch()
    run.student.write_bytes(b"weights")
    with pytest.raises(InputError):
        examine.examine(run)
    last = Examination(run).last_state()
    assert last["state"] == "failed" and "student.safetensors" in last["reason"]
    monkeypatch.setattr(examine, "_examine", lambda run: 1 / 0)
    with pytest.raises(PursuhintError, match="failed: division by zero"):
        examine.examine(run)


def test_the_process_examines_the_run_around_its_folder(tmp_path, monkeypatch):
    examined = []
    monkeypatch.setattr(examine, "examine", lambda run, own: examined.append((run.path, own)))
    monkeypatch.setattr("os.nice", lambda _: 0)
    monkeypatch.setattr("sys.argv", ["examine", str(tmp_path / "run" / "examination")])
    assert examine.main() == 0 and examined == [(tmp_path / "run", True)]


def test_large_images_are_shown_small():
    from pursuhint.data.images import Split

    source = np.zeros((3, 250, 300, 3), np.uint8)
    split = Split(source, np.arange(3), np.zeros(3, int))
    assert examine.thumbnails(split, np.array([1])).shape == (1, 63, 75, 3)

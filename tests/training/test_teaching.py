"""The teacher in its faster form, and a teacher that is asked about each view once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
import torch

from pursuhint.analysis.kept import clear, kept
from pursuhint.errors import InputError, PursuhintError
from pursuhint.home import targets_folder
from pursuhint.training.distiller import run_network
from pursuhint.training.kept_targets import KeptTargets
from pursuhint.training.prepare import Parts
from pursuhint.training.settings import make_settings
from pursuhint.training.target_cache import targets_key
from pursuhint.training.teaching import LiveTeacher

FOUR_EPOCHS = {"epochs": 4, "keep_targets": 2}


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """How many images the teacher was asked about, call by call."""
    calls: list[int] = []
    original = LiveTeacher.__call__

    def count(self, batch, view):
        calls.append(len(batch.images))
        return original(self, batch, view)

    monkeypatch.setattr(LiveTeacher, "__call__", count)
    return calls


def same_history(first, second) -> bool:
    kinds = ("weights", "step", "epoch", "final")
    return all(first.of(kind) == second.of(kind) for kind in kinds) and all(
        torch.equal(value, second.student[name]) for name, value in first.student.items()
    )


def test_the_faster_teacher_says_what_the_teacher_says(train, settings_for):
    recorded = train(settings_for(epochs=1))
    trainer = recorded.trainer
    batch = next(trainer.batches.epoch(1))
    live = LiveTeacher(trainer.parts.teacher.model, trainer.parts.pairs, trainer.fabric)
    found = live(batch, 0)
    with torch.no_grad():
        hints = [pair.hint for pair in trainer.parts.pairs]
        expected = run_network(trainer.parts.teacher.model, batch.images, hints)
    torch.testing.assert_close(found.logits, expected.logits, rtol=1e-3, atol=1e-4)
    for name, values in expected.features.items():
        torch.testing.assert_close(found.features[name], values, rtol=1e-3, atol=1e-4)
    assert live._faster is not trainer.parts.teacher.model


@pytest.mark.parametrize("hint_loss", ["at", "fitnet", "none"])
def test_losses_with_kept_targets_are_those_of_the_live_teacher(train, settings_for, hint_loss: str):
    """Without augmentation all views are one, so both runs see the same pixels."""
    given = {"augmentation": "none", "hint_loss": hint_loss, "learning_rate": 1e-4}
    live = train(settings_for(**given), folder="live")
    kept = train(settings_for(**given, keep_targets=1), folder="kept")
    for step, other in zip(kept.of("step"), live.of("step"), strict=True):
        for name, value in other["raw"].items():
            assert step["raw"][name] == pytest.approx(value, rel=1e-3)


def test_the_teacher_is_asked_about_a_view_once(train, settings_for, asked):
    """96 images in 3 whole batches: an example at the start (twice), then 2 of 4 epochs."""
    recorded = train(settings_for(**FOUR_EPOCHS))
    assert sum(asked) == 2 * 32 + 2 * 96
    (said,) = recorded.of("targets")
    per_image = 10 + sum(side * side for side in (8, 4, 2))
    assert said == {"kind": "targets", "bytes": 2 * 2 * 96 * per_image, "views": 2, "share_kept": 0.0}


def test_the_next_run_finds_them_and_has_the_same_history(train, settings_for, asked):
    first = train(settings_for(**FOUR_EPOCHS), folder="first")
    asked.clear()
    second = train(settings_for(**FOUR_EPOCHS), folder="second")
    assert asked == [32, 32], "for the example that shapes are read from"
    assert second.of("targets")[0]["share_kept"] == 1.0
    assert same_history(first, second)


def test_images_left_out_of_the_last_batch_are_asked_about_later(train, settings_for, asked):
    """100 images in batches of 32 leave 4 out, other ones in every epoch."""
    train(settings_for(epochs=6, keep_targets=1, limit=100))
    missed_at_first = sum(asked) - 64 - 96
    assert 1 <= missed_at_first <= 4


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"keep_targets": 3}, {"augmentation": "none"}, {"limit": 97}]
)
def test_what_changes_the_views_has_targets_of_its_own(train, settings_for, change: dict):
    train(settings_for(epochs=1, keep_targets=2), folder="first")
    other = train(settings_for(**{"epochs": 1, "keep_targets": 2} | change), folder="other")
    assert other.of("targets")[0]["share_kept"] == 0


def test_another_kind_of_device_has_targets_of_its_own(train, settings_for):
    trainer = train(settings_for(epochs=1)).trainer
    given = (trainer.settings, trainer.parts, np.arange(4), {"logits": (10,)})
    keys = [targets_key(*given, device=device) for device in ("cpu", "cuda", "cpu")]
    assert keys[0] == keys[2] != keys[1]


def test_another_student_uses_the_same_targets(train, settings_for):
    train(settings_for(epochs=1, keep_targets=1), folder="first")
    other = train(
        settings_for(epochs=1, keep_targets=1, student="zoo:resnet14?width=0.25", learning_rate=0.1),
        folder="other",
    )
    assert other.of("targets")[0]["share_kept"] == 1


@pytest.mark.parametrize("steps", [2, 4, 8])
def test_resume_with_kept_targets_equals_uninterrupted(train, settings_for, steps: int):
    settings = settings_for(**FOUR_EPOCHS)
    whole = train(settings, folder="whole")
    clear()
    train(settings, stop_after=steps)
    resumed = train(settings)
    assert resumed.final == whole.final
    assert all(torch.equal(value, resumed.student[name]) for name, value in whole.student.items())


def test_a_run_whose_targets_no_longer_fit_does_not_go_on_as_another_training(
    train, settings_for, monkeypatch
):
    train(settings_for(**FOUR_EPOCHS), stop_after=4)
    clear()
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    message = "showed 2 kept views of each image until here and would go on with a new view every epoch"
    with pytest.raises(PursuhintError, match=message):
        train(settings_for(**FOUR_EPOCHS))


def test_a_killed_run_leaves_no_wrong_targets(train, settings_for, tmp_path):
    """Killed for real in its second epoch; a run that finds what it had marked has the right history."""
    settings = settings_for(**FOUR_EPOCHS)
    (tmp_path / "settings.json").write_text(settings.model_dump_json())
    script = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from pursuhint.training import kept_targets\nfrom pursuhint.training.loop import Trainer\n"
        "from pursuhint.training.prepare import load_parts\n"
        "from pursuhint.training.settings import RunSettings\n"
        "kept_targets.WRITES_BETWEEN_MARKS = 2\n"
        "settings = RunSettings.model_validate_json(Path(sys.argv[1], 'settings.json').read_text())\n"
        "writes, write = iter(range(100)), kept_targets.KeptTargets.write\n"
        "def write_or_die(*given):\n"
        "    next(writes) == 4 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "    write(*given)\n"
        "kept_targets.KeptTargets.write = write_or_die\n"
        "trainer = Trainer(settings, load_parts(settings), folder=Path(sys.argv[1], 'killed'),\n"
        "                  record=lambda *_, **__: None)\n"
        "trainer.start()\ntrainer.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    found = train(settings, folder="after")
    assert found.of("targets")[0]["share_kept"] == pytest.approx(4 * 32 / 192)
    clear()
    assert same_history(train(settings, folder="whole"), found)


def test_more_than_the_limit_is_not_kept(train, settings_for):
    off = train(settings_for(epochs=1, keep_targets=2, targets_limit=1e-6, hint_loss="fitnet"))
    (warning,) = off.of("warning")
    assert warning["text"] == (
        "the teacher's targets are not kept: 2 views take 347.9 kB, more than the 1.0 kB of "
        "`--targets-limit`; raise it, keep fewer views or choose a hint loss with smaller targets"
    )
    assert off.of("targets") == []
    assert same_history(off, train(settings_for(epochs=1, hint_loss="fitnet"), folder="live"))


def test_more_than_the_disk_holds_is_not_kept(train, settings_for, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    off = train(settings_for(epochs=1, keep_targets=2))
    assert "are needed and 0.0 kB of disk can be used; free some" in off.of("warning")[0]["text"]
    assert not targets_folder().exists()


def test_a_folder_that_cannot_be_written_is_not_used(train, settings_for):
    targets_folder().write_text("a file is in the way")
    off = train(settings_for(epochs=1, keep_targets=1))
    assert off.of("warning")[0]["text"].startswith("the teacher's targets are not kept: cannot keep")


def test_targets_of_something_else_are_not_used(train, settings_for):
    train(settings_for(epochs=1, keep_targets=1), folder="first")
    (folder,) = targets_folder().iterdir()
    file = folder / "001.f16"
    file.write_bytes(b"\1" * file.stat().st_size)
    off = train(settings_for(epochs=1, keep_targets=1), folder="second")
    (warning,) = off.of("warning")
    assert warning["text"] == (
        f"the teacher's targets are not kept: those in `{folder}` are not its own or are damaged; remove "
        f"them with `pursuhint cache clear {folder.name}`"
    )


def test_kept_targets_are_listed_and_cleared_when_no_run_uses_them(train, settings_for):
    train(settings_for(epochs=1, keep_targets=1))
    (one,) = kept()
    assert (one.kind, one.what) == ("targets", "zoo:resnet14?width=0.5 on digits, 1 view")
    assert one.bytes > 2 * 96 * 84
    with closing(KeptTargets(one.path, ids=np.arange(96), views=1, shapes={})):
        assert clear() == []
        with pytest.raises(InputError, match=f"a process works on `{one.id}`; wait for it or stop it first"):
            clear([one.id])
    assert [gone.id for gone in clear()] == [one.id]


def test_the_teacher_is_not_touched(train, settings_for):
    before = {}

    def watch(parts: Parts) -> None:
        before.update({name: value.clone() for name, value in parts.teacher.model.state_dict().items()})

    model = train(settings_for(epochs=1, keep_targets=1), watch=watch).trainer.parts.teacher.model
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_without_a_teacher_there_is_nothing_to_keep():
    with pytest.raises(InputError, match="without a hint loss and a logit loss there are no targets to keep"):
        make_settings(kind="train", student="s", data="digits", preprocess="digits", keep_targets=1)

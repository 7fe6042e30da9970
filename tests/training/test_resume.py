"""A stopped and resumed run equals the uninterrupted one to the last digit."""

from __future__ import annotations

import resource
from dataclasses import replace

import pytest
import torch

from pursuhint.errors import InputError, PursuhintError
from pursuhint.runs import History
from pursuhint.training.checkpoint import KEPT, checkpoints, latest_checkpoint
from pursuhint.training.loop import Trainer
from pursuhint.training.selection import Selection


def assert_equal_runs(parts: list, whole) -> None:
    """The joined records of a run's parts, read as the run folder reads them, equal the whole one's."""
    history, expected = History(), History()
    start = {"kind": "start", "steps_per_epoch": whole.trainer.batches.steps}
    for part in parts:
        history.extend([start, *part.events])
    expected.extend([start, *whole.events])
    for kind in ("steps", "epochs"):
        clean = [
            [{k: v for k, v in e.items() if k not in ("seconds", "images_per_second")} for e in events]
            for events in (getattr(history, kind), getattr(expected, kind))
        ]
        assert clean[0] == clean[1]
        assert clean[0]
    assert parts[-1].final == whole.final
    assert all(torch.equal(value, parts[-1].student[name]) for name, value in whole.student.items())


@pytest.mark.parametrize("hint_loss", ["at", "fitnet", "vid", "crd", "at+crd"])
@pytest.mark.parametrize("stops", [[3], [1, 3]], ids=["between epochs", "inside epochs"])
def test_resume_equals_uninterrupted(train, settings_for, hint_loss: str, stops: list[int]):
    settings = settings_for(hint_loss=hint_loss)
    whole = train(settings, folder="whole")
    parts = [train(settings, stop_after=n) for n in stops]
    assert all(part.final is None for part in parts)
    parts.append(train(settings))
    assert_equal_runs(parts, whole)


@pytest.mark.parametrize(
    "fields",
    [
        {"accumulate": 2, "ema": 0.8, "mix": "mixup"},
        {"mix": "cutmix", "select": "test", "precision": "64-true"},
    ],
    ids=["parts, average and mixup", "cutmix, chosen on test, in double precision"],
)
def test_a_run_stopped_after_each_of_its_steps_equals_the_uninterrupted_one(train, settings_for, fields):
    settings = settings_for(**fields)
    whole = train(settings, folder="whole")
    parts = [train(settings, stop_after=1) for _ in range(5)]
    assert [part.final for part in parts] == [None] * 5
    parts.append(train(settings))
    assert_equal_runs(parts, whole)


def test_a_stop_between_two_records_loses_no_step_of_their_mean(train, settings_for):
    """45 steps an epoch, every second one recorded, stopped after an odd one."""
    settings = settings_for(batch_size=2, limit=90, epochs=1, hint_loss="none")
    whole = train(settings, folder="whole")
    assert [step["step"] for step in whole.of("step")] == [*range(2, 45, 2), 45]
    parts = [train(settings, stop_after=7), train(settings)]
    assert_equal_runs(parts, whole)


def test_a_stop_says_where(train, settings_for):
    recorded = train(settings_for(), stop_after=4)
    assert recorded.of("stopped")[0]["text"] == "stopped in epoch 2 after 1 of 3 steps"


def test_only_the_latest_checkpoints_stay(train, settings_for, tmp_path):
    train(settings_for(epochs=4))
    assert [p.name for p in checkpoints(tmp_path / "checkpoints")] == [
        "epoch-0003-step-000000.pt",
        "epoch-0004-step-000000.pt",
    ]
    assert KEPT == 2


def test_a_damaged_newest_checkpoint_is_stepped_over(train, settings_for, tmp_path):
    settings = settings_for(epochs=3)
    whole = train(settings, folder="whole")
    first = train(settings, stop_after=7)
    newest = checkpoints(tmp_path / "checkpoints")[-1]
    newest.write_bytes(newest.read_bytes()[:1000])
    second = train(settings)
    assert second.of("warning")[0]["text"] == (
        f"checkpoint `{newest.name}` cannot be read; going on from the one before it"
    )
    assert second.of("resume") == [{"kind": "resume", "epoch": 2, "step": 0}]
    assert_equal_runs([first, second], whole)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_a_checkpoint_with_a_few_other_bytes_is_not_taken_for_whole(train, settings_for, tmp_path, place):
    """torch loads such a file without a word, and the weights are somebody else's."""
    settings = settings_for(epochs=3)
    whole = train(settings, folder="whole")
    first = train(settings, stop_after=7)
    newest = checkpoints(tmp_path / "checkpoints")[-1]
    content = bytearray(newest.read_bytes())
    start = int(place * len(content))
    content[start : start + 64] = bytes(byte ^ 0x55 for byte in content[start : start + 64])
    newest.write_bytes(content)
    second = train(settings)
    assert "cannot be read; going on from the one before it" in second.of("warning")[0]["text"]
    assert_equal_runs([first, second], whole)


def test_an_epoch_that_left_no_checkpoint_leaves_no_best_student(train, settings_for, monkeypatch):
    """Killed after its second epoch was the best, the run does it again, with figures that are worse."""
    figures: list[float] = []
    score = Selection._score

    def scored(self, student, split, progress):
        found = score(self, student, split, progress)
        return found if split == "test" else replace(found, accuracy=figures.pop(0))

    def killed(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Selection, "_score", scored)
    settings = settings_for(epochs=3)
    figures[:] = 0.5, 0.2, 0.3
    whole = train(settings, folder="whole")
    assert whole.final["best_epoch"] == 1
    figures[:] = 0.5, 0.9, 0.2, 0.3
    first = train(settings, stop_after=3)
    with monkeypatch.context() as within:
        within.setattr(Trainer, "_save", killed)
        with pytest.raises(KeyboardInterrupt):
            train(settings)
    assert_equal_runs([first, train(settings)], whole)


def test_no_readable_checkpoint_is_an_error(train, settings_for, tmp_path):
    settings = settings_for()
    train(settings, stop_after=4)
    for path in checkpoints(tmp_path / "checkpoints"):
        path.write_bytes(b"")
    with pytest.raises(
        PursuhintError, match=r"no checkpoint in `.*` can be read \(epoch-0001-step-000001.pt, "
    ):
        train(settings)


def test_a_checkpoint_of_another_version_is_refused(tmp_path):
    torch.save({"format": 99}, tmp_path / "epoch-0001-step-000000.pt")
    with pytest.raises(InputError, match="was written by another version; start the run anew"):
        latest_checkpoint(tmp_path)


def test_no_checkpoint_is_none(tmp_path):
    (tmp_path / "other.pt").write_bytes(b"")
    assert latest_checkpoint(tmp_path) is None


def test_a_checkpoint_runs_no_code(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "trap"), "w"))

    torch.save({"format": 1, "epoch": Trap()}, tmp_path / "epoch-0001-step-000000.pt")
    with pytest.raises(PursuhintError, match="no checkpoint in"):
        latest_checkpoint(tmp_path)
    assert not (tmp_path / "trap").exists()


def test_a_disk_that_fills_up_leaves_the_run_as_it_was(train, settings_for, tmp_path):
    """Files may not grow above 16 kB while the second epoch ends; nothing half-written is left."""
    settings = settings_for()
    whole = train(settings, folder="whole")
    first = train(settings, stop_after=3)
    before = {p.name: p.read_bytes() for p in (tmp_path / "checkpoints").iterdir()}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, limit[1]))
    try:
        with pytest.raises(
            PursuhintError, match="cannot write `.*`: File too large; free some space or choose"
        ):
            train(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert {p.name: p.read_bytes() for p in (tmp_path / "checkpoints").iterdir()} == before
    assert_equal_runs([first, train(settings)], whole)


def test_another_number_of_threads_is_warned_about(train, settings_for):
    train(settings_for(threads=1), stop_after=1)
    resumed = train(settings_for(threads=2, epochs=1), stop_after=0)
    torch.set_num_threads(1)
    assert resumed.of("warning")[0]["text"].startswith(
        "the run used 1 threads until here and goes on with 2; "
    )


def test_a_run_killed_before_its_first_checkpoint_starts_anew(train, settings_for):
    """The journal then holds the first steps twice; a reader counts the later ones."""
    settings = settings_for(epochs=1)
    whole = train(settings, folder="whole")
    killed = train(settings, folder="killed")
    killed.events = [e for e in killed.events if e["kind"] in ("weights", "step")][:3]
    assert_equal_runs([killed, whole], whole)

from __future__ import annotations

import pytest

from pursuhint.errors import InputError


def test_a_run_can_be_called_something_else_and_tagged(write_run):
    run = write_run(name="first", seed=3)
    settings = (run.path / "settings.json").read_bytes()
    journal = run.journal.path.read_bytes()
    run.label(name="  the   good one ", tags=["baseline", " seed 3 ", "baseline"])
    assert run.summary()["name"] == "the good one"
    assert run.summary()["tags"] == ["baseline", "seed 3"]
    run.label(tags=["kept"])
    assert (run.summary()["name"], run.summary()["tags"]) == ("the good one", ["kept"])
    run.label(name="")
    assert run.summary()["name"] == "first"
    assert (run.path / "settings.json").read_bytes() == settings
    assert run.journal.path.read_bytes() == journal


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"name": "x" * 81}, "a run's name has at most 80 letters; found 81; shorten it"),
        ({"tags": ["y" * 31]}, "a tag has at most 30 letters; found `y+`; shorten it"),
        ({"tags": map(str, range(13))}, "a run has at most 12 tags; found 13; leave some out"),
    ],
)
def test_labels_that_do_not_fit_are_refused(write_run, labels: dict, message: str):
    run = write_run()
    with pytest.raises(InputError, match=message):
        run.label(**labels)
    assert not (run.path / "labels.json").exists()


def test_damaged_labels_are_said(write_run):
    run = write_run()
    (run.path / "labels.json").write_text('{"name": 3}')
    with pytest.raises(InputError, match="must hold a name and tags; delete it and label the run again"):
        run.summary()

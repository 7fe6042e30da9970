"""A data folder as the first version wrote it opens; one of a later version is refused with words.

``first/`` holds files written by the first version that kept runs and analyses; of the journal, three steps.
Drafts, labels, digests and the versions of folders came later.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pursuhint.analysis import AnalysisFolder, list_analyses
from pursuhint.drafts import Draft, load_draft, save_draft
from pursuhint.errors import InputError
from pursuhint.formats import check_version
from pursuhint.home import analyses_folder, drafts_folder, runs_folder
from pursuhint.plan import HintPlan
from pursuhint.runs import RunFolder, RunIndex, find_run, list_runs
from pursuhint.runs.labels import FILE as LABELS
from pursuhint.runs.labels import read_labels

FIRST = Path(__file__).parent / "first"
RUN, DRAFT = "20261122-101500-resnet8-no-teacher-b182", "0123456789ab"
REFUSED = r"of version 2; this program \(pursuhint .+\) reads up to 1: update it, or open"


@pytest.fixture
def run() -> RunFolder:
    """A finished run of the first version."""
    folder = runs_folder() / RUN
    folder.mkdir(parents=True)
    for name in ("settings.json", "journal.jsonl"):
        shutil.copy(FIRST / f"run-{name}", folder / name)
    return RunFolder(folder)


@pytest.fixture
def analysis() -> AnalysisFolder:
    """An analysis of the first version: it kept no checksums, no maps and no key."""
    folder, draw = analyses_folder() / "old", np.random.default_rng(0)
    (folder / "features").mkdir(parents=True)
    for name in ("settings.json", "journal.jsonl"):
        shutil.copy(FIRST / f"analysis-{name}", folder / name)
    for name in ("analysis.json", "students.json", "score.json"):
        shutil.copy(FIRST / name, folder / name)
    for index, width in enumerate((4, 8, 16)):
        np.save(folder / "features" / f"{index:03}.npy", draw.normal(size=(60, width)).astype(np.float32))
    np.savez(folder / "samples.npz", **dict.fromkeys(("ids", "labels", "predictions"), np.arange(60) % 10))
    np.savez(folder / "thumbnails.npz", images=np.zeros((60, 8, 8, 3), np.uint8))
    return AnalysisFolder.open(folder)


def rewrite(path: Path, **changes: object) -> None:
    """Change fields of a JSON file as a later program would have written them."""
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_a_run_of_the_first_version_opens(run):
    (summary,), problems = RunIndex().summaries()
    assert problems == []
    assert (summary["state"], summary["epoch"], summary["epochs"]) == ("finished", 1, 1)
    assert summary["metrics"]["test_accuracy"] == 0.342
    assert summary["settings"]["weights.mode"] == "balanced" and summary["settings"]["mix"] == "none"
    assert [step["step"] for step in run.history().steps] == [1, 8, 15]
    run.label(name="the old one", tags=["kept"])
    assert find_run(RUN).summary()["name"] == "the old one"


def test_an_analysis_and_a_plan_of_the_first_version_open(analysis):
    assert [found.id for found in list_analyses()] == ["old"]
    assert (analysis.card.flops, analysis.card.key, analysis.card.checksums) == (None, "", ())
    assert analysis.similarity("cka_linear").values.shape == (3, 3)
    assert analysis.analysis_settings.samples == 60
    plan = HintPlan.load(FIRST / "plan.json")
    plan.check_teacher(analysis.card.teacher.hash)
    assert plan.hint_points == ("layer1.0", "layer2.0")


def test_a_run_of_a_later_version_is_refused_and_the_others_are_listed(run):
    later = RunFolder(run.path.with_name("20261124-later"))
    shutil.copytree(run.path, later.path)
    rewrite(later.path / "settings.json", version=2)
    with pytest.raises(InputError, match=f"{later.id}` is a job {REFUSED}"):
        _ = later.run_settings
    summaries, problems = RunIndex().summaries()
    assert [one["id"] for one in summaries] == [RUN]
    assert len(problems) == 1 and "is a job of version 2" in problems[0]
    assert len(list_runs()) == 2


def test_labels_drafts_and_analyses_of_a_later_version_are_refused(run, analysis):
    run.label(name="named")
    assert json.loads((run.path / LABELS).read_text(encoding="utf-8"))["version"] == 1
    rewrite(run.path / LABELS, version=2, colour="red")
    with pytest.raises(InputError, match=f"is labels of a run {REFUSED}"):
        read_labels(run.path)
    save_draft(DRAFT, Draft(teacher="0", metric="cka_linear", method="pursuhint", clusters=2))
    rewrite(drafts_folder() / f"{DRAFT}.json", version=3, colour="red")
    with pytest.raises(InputError, match=f"{DRAFT}.json` is a draft of version 3; .+ reads up to 2: update"):
        load_draft(DRAFT)
    rewrite(analysis.path / "analysis.json", format=2, colour="red")
    with pytest.raises(InputError, match=f"old` is an analysis {REFUSED}"):
        AnalysisFolder.open(analysis.path)


def test_a_draft_of_the_first_version_opens_as_if_it_were_written_now(analysis):
    plan = HintPlan.load(FIRST / "plan.json")
    about = {"teacher": plan.teacher.hash, "metric": "cka_linear", "method": "pursuhint", "clusters": 2}
    first = {"version": 1, **about, "samples": None, "plan": plan.model_dump(mode="json")}
    drafts_folder().mkdir(parents=True)
    (drafts_folder() / f"{DRAFT}.json").write_text(json.dumps(first), encoding="utf-8")
    assert load_draft(DRAFT) == Draft(**about, plan=plan)


def test_labels_that_say_no_version_open(run):
    (run.path / LABELS).write_text('{"name": "before", "tags": ["a"]}', encoding="utf-8")
    assert read_labels(run.path).tags == ("a",)


def test_the_message_says_what_was_found_what_is_read_and_what_to_do():
    with pytest.raises(
        InputError, match=r"`x.json` is a thing of version 7; this program .* reads up to 3: update"
    ):
        check_version({"version": 7}, 3, "a thing", source="x.json")
    check_version([], 3, "a thing", source="x.json")
    check_version({"version": "7"}, 3, "a thing", source="x.json")  # what reads the rest says what is wrong

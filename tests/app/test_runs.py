"""Runs: each state shows what can be done, the curves hold what the journal says, deleting asks first."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import streamlit as st

from app.runs import head
from pursuhint.files import read_json, write_json
from pursuhint.hints import choose_hints
from pursuhint.origin import origin
from pursuhint.runs import RunFolder, list_runs
from pursuhint.runs.examine import Examination
from pursuhint.runs.report_card import Answers, ReportCard
from tests.app.conftest import call, texts, widget


def contents(app) -> list[dict]:
    """Return what the page's own drawings are given."""
    return [json.loads(one.proto.json) for one in app.get("bidi_component")]


def labels(app) -> set[str]:
    """Return the labels of all buttons."""
    return {one.label for one in (*app.button, *app.get("download_button"))}


@pytest.mark.parametrize(
    ("state", "offered", "missing"),
    [
        ("running", {"Stop"}, {"Delete", "Resume", "Finish", "Download student"}),
        ("finished", {"Delete", "Download student"}, {"Stop", "Resume", "Finish"}),
        ("stopped", {"Delete", "Resume", "Finish"}, {"Stop", "Download student"}),
        ("failed", {"Delete", "Resume", "Finish"}, {"Stop", "Download student"}),
        ("lost", {"Delete", "Resume", "Finish"}, {"Stop", "Download student"}),
    ],
)
def test_what_a_state_offers(open_page, make_run, state, offered, missing):
    make_run(state, reason="the disk is full")
    app = open_page("runs")
    assert not app.exception
    assert offered <= labels(app) and not missing & labels(app)
    assert f"-badge[{state}]" in texts(app)
    said = " ".join(one.value for one in app.error)
    assert ("the disk is full" in said) == (state == "failed")
    assert ("ended without a word" in said) == (state == "lost")


def test_the_address_chooses_the_run(open_page, make_run):
    first, second = make_run("finished", name="the first"), make_run("stopped", name="the second")
    assert open_page("runs", run=first.id).title[0].value == "the first"
    assert open_page("runs", run=second.id).title[0].value == "the second"
    app = open_page("runs", run="nonsense")
    assert not app.exception and "unknown run `nonsense`" in app.error[0].value


def test_a_run_says_its_hint_points_and_where_they_come_from(open_page, make_run, teacher):
    plan = choose_hints(teacher)
    run = make_run("finished")
    line = f"Hint points {', '.join(plan.hint_points)}: {origin(plan)}"
    assert line in [one.value for one in open_page("runs", run=run.id).caption]
    fields = read_json(run.path / "settings.json")
    changed = plan.toggled("layer1.0")
    write_json(run.path / "settings.json", fields | {"plan": changed.model_dump(mode="json")})
    captions = [one.value for one in open_page("runs", run=run.id).caption]
    assert f"Hint points {', '.join(changed.hint_points)}: {origin(plan)}; by hand: + layer1.0" in captions
    write_json(run.path / "settings.json", fields | {"hint_loss": "none"})
    assert "Hint points" not in texts(open_page("runs", run=run.id))


def test_a_run_that_was_deleted_elsewhere_is_told_of_once(open_page, make_run):
    other, run = make_run("finished", name="other"), make_run("stopped", name="gone")
    app = open_page("runs", run=run.id)
    shutil.rmtree(run.path)
    widget(app.button, "Resume").click().run()
    said = f"run `{run.id}` is gone: it was deleted in another tab or by a command"
    assert said in [one.value for one in app.error] and app.title[0].value == "other"
    app.run()
    assert not app.error and app.query_params["run"] in (other.id, [other.id])


def test_figures_of_a_finished_run_come_from_test(open_page, make_run):
    make_run("finished")
    sizes = {one.label: one.value for one in open_page("runs").metric}
    assert sizes["test accuracy"] == "91.00 %" and sizes["compression"] == "10.93 ×"
    assert sizes["epoch"] == "3 of 3"


def drawn(app) -> dict[str, dict]:
    """Return the panels of the drawing that a page shows."""
    (content,) = (one for one in contents(app) if "panels" in one)
    return {panel["id"]: panel for panel in content["panels"]}


def test_curves_hold_the_journal_the_teacher_and_the_untaught_student(open_page, make_run):
    run = make_run("finished", name="taught")
    panels = drawn(open_page("runs", run=run.id))
    lines = {line["name"]: line for line in panels["terms"]["lines"]}
    terms = [lines[name]["y"] for name in ("γ·L_cls", "α·L_logit", "β·L_hint")]
    assert lines["total"]["y"] == pytest.approx(
        [sum(values) for values in zip(*terms, strict=True)], rel=1e-4
    )
    assert lines["total"]["x"] == [1, 2, 3]
    assert panels["accuracy"]["lines"][0]["y"] == pytest.approx([60, 70, 80])
    assert [mark["name"] for mark in panels["accuracy"]["marks"]] == ["teacher 99.60 %"]
    assert panels["terms"]["aside"] == "γ = 1 · α = 2.5 · β = 80"

    alone = {"kind": "train", "plan": None, "hint_loss": "none", "logit_loss": "none", "name": "alone"}
    other = make_run("finished")
    write_json(other.path / "settings.json", read_json(other.path / "settings.json") | alone)
    other.journal.append("final", test_accuracy=0.8, validation_accuracy=0.7, best_epoch=3, n_test=500)
    st.cache_data.clear()  # what a run is compared with is looked up again after some seconds
    app = open_page("runs", run=run.id)
    marks = drawn(app)["accuracy"]["marks"]
    assert [(mark["name"], mark["value"]) for mark in marks[1:]] == [
        ("no teacher 70.00 %", pytest.approx(70))
    ]
    assert "finished run “alone” of the same student" in texts(app)
    assert "+11.00 points over no teacher · −8.60 points to the teacher" in texts(app)


def test_the_same_training_without_a_teacher_is_started_and_drawn_over_it(open_page, make_run, monkeypatch):
    run = make_run("finished", name="taught")
    monkeypatch.setattr(RunFolder, "launch", lambda run: run.set_state("queued"))
    app = open_page("runs", run=run.id)
    widget(app.button, "Train without a teacher").click().run()
    new = next(one for one in list_runs() if one.id != run.id)
    settings = new.run_settings
    assert (settings.kind, settings.plan, settings.epochs) == ("train", None, run.run_settings.epochs)
    names = [line["name"] for line in drawn(app)["total"]["lines"]]
    assert names[0] == "taught" and app.query_params["with"] in (new.id, [new.id])


def test_terms_are_drawn_as_chosen(open_page, make_run):
    make_run("finished")
    app = open_page("runs")
    app.segmented_control(key="run-kind").set_value("share").run()
    panel = drawn(app)["terms"]
    assert panel["unit"] == "%" and [line["y"][0] for line in panel["lines"]] == pytest.approx(
        [57.143, 28.571, 14.286]
    )


def test_runs_over_each_other_keep_their_colours_and_show_what_differs(open_page, make_run):
    one, two = make_run("finished", name="one"), make_run("stopped", name="two", epochs=4)
    app = open_page("runs", **{"run": one.id, "with": f"{two.id},gone"})
    panels = drawn(app)
    assert [line["name"] for line in panels["total"]["lines"]] == ["one", "two"]
    colours = {line["name"]: line["colour"] for line in panels["accuracy"]["lines"]}
    differing = app.dataframe[0].value
    assert differing.loc["epochs"].tolist() == ["3", "4"] and list(differing.columns) == ["one", "two"]
    rows = app.dataframe[1].value.set_index("run")
    assert rows[""].map(list).to_dict() == {"one": ["1"], "two": ["2"]}
    assert app.query_params["with"] in (two.id, [two.id])  # the one that is gone is named no more

    app.query_params["run"], app.query_params["with"] = two.id, one.id
    app.run()
    assert {line["name"]: line["colour"] for line in drawn(app)["accuracy"]["lines"]} == colours
    assert app.title[0].value == "two"


def test_the_last_epoch_stands_beside_the_best_one(open_page, make_run):
    make_run("finished")
    assert "of 500 images, best epoch 3; 90.40 % after the last" in texts(open_page("runs"))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("running", ("waiting for the first epoch", "waiting for the first step")),
        ("stopped", ("no epoch was finished", "no step was made")),
    ],
)
def test_a_run_without_a_step_says_so_in_place_of_its_curves(open_page, make_run, state, words):
    app = open_page("runs", run=make_run(state, done=0).id)
    assert not app.exception
    panels = drawn(app)
    assert words == (panels["accuracy"]["empty"], panels["terms"]["empty"])
    assert not panels["accuracy"]["lines"] and not panels["terms"]["lines"]
    assert app.dataframe[0].value["accuracy"].isna().all()
    assert app.dataframe[0].proto.placeholder == "–"


def test_curves_of_a_run_that_has_not_begun(open_page, make_run):
    make_run("running", epochs=1)
    run = make_run("queued", epochs=1, name="young")
    run.journal.path.write_text("", encoding="utf-8")
    run.set_state("failed", reason="no data")
    app = open_page("runs", run=run.id)
    assert not app.exception and "no data" in app.error[0].value


def test_the_teacher_line_is_of_the_teacher_that_taught(open_page, make_run):
    from app.current import teacher_accuracy

    run = make_run("finished")
    assert teacher_accuracy(run.run_settings.plan.teacher.hash) == pytest.approx(0.996)
    assert teacher_accuracy("f" * 16) is None


def test_stop_and_resume(open_page, make_run, monkeypatch):
    live, ended = make_run("running"), make_run("stopped")
    app = open_page("runs", run=live.id)
    widget(app.button, "Stop").click().run()
    assert live.stop_asked() and widget(app.button, "Stop").disabled
    started = []
    monkeypatch.setattr(RunFolder, "launch", lambda run: started.append(run.id))
    widget(open_page("runs", run=ended.id).button, "Resume").click().run()
    assert started == [ended.id]


def test_deleting_asks_first(open_page, make_run):
    kept, gone = make_run("finished"), make_run("finished")
    app = open_page("runs", run=gone.id)
    widget(app.button, "Delete").click().run()
    assert gone.path.is_dir() and "will be removed from the disk" in texts(app)
    assert "Delete for good" in labels(app)
    assert {run.id for run in list_runs()} == {kept.id, gone.id}
    call(app, head.remove, {}, [gone])
    assert [run.id for run in list_runs()] == [kept.id]
    assert app.query_params["run"] in (kept.id, [kept.id])


def test_several_are_tagged_and_deleted_together(open_page, make_run):
    runs = [make_run("finished", name=name) for name in "abc"]
    app = open_page("runs", **{"run": runs[0].id, "with": runs[1].id})
    assert {"Delete 2"} <= labels(app)
    app.multiselect(key="runs-add").set_value(["new"])
    widget(app.button, "Add").click().run()
    assert [run.labels.tags for run in runs] == [("new",), ("new",), ()]
    widget(app.button, "Delete 2").click().run()
    assert "2 runs" in texts(app) and all(run.path.is_dir() for run in runs)
    call(app, head.remove, {}, runs[:2])
    assert [run.id for run in list_runs()] == [runs[2].id] and app.title[0].value == "c"


def test_a_run_is_renamed_and_tagged_beside_its_settings(open_page, make_run):
    run = make_run("finished", name="first")
    settings = (run.path / "settings.json").read_bytes()
    app = open_page("runs", run=run.id)
    app.text_input(key=f"run-name-{run.id}").input("the good one")
    app.multiselect(key=f"run-tags-{run.id}").set_value(["baseline"])
    widget(app.button, "Save").click().run()
    assert app.title[0].value == "the good one" and "gray-badge[baseline]" in texts(app)
    assert (run.path / "settings.json").read_bytes() == settings
    app.text_input(key=f"run-name-{run.id}").input("first")
    widget(app.button, "Save").click().run()
    assert run.labels.name == "" and app.title[0].value == "first"


def test_the_address_and_the_command_can_be_sent(open_page, make_run):
    run = make_run("finished")
    codes = [one.value for one in open_page("runs", run=run.id).code]
    assert codes[0].endswith(f"?run={run.id}") and codes[1].startswith("pursuhint distill")


def test_the_table_is_searched_and_sorted(open_page, make_run):
    for number, name in enumerate(("bee", "ant", "cat")):
        make_run("finished" if number else "failed", name=name)
    app = open_page("runs")
    app.selectbox(key="runs-by").set_value("name").run()
    assert app.dataframe[0].value["run"].tolist() == ["ant", "bee", "cat"]
    app.multiselect(key="runs-states").set_value(["finished"]).run()
    assert app.dataframe[0].value["run"].tolist() == ["ant", "cat"] and "2 of 3 runs" in texts(app)
    app.text_input(key="runs-words").input("dog").run()
    assert not app.dataframe and "No run fits" in texts(app)


def test_the_students_card(open_page, make_run):
    run = make_run("finished")
    app = open_page("runs", run=run.id)
    assert "Examine the student" in labels(app)  # it was trained before there were cards
    labels_, said = np.array([0, 1, 1, 1]), np.array([0, 1, 0, 1])
    taught = Answers(labels_, np.ones(4, np.float32))
    pictures = np.zeros((1, 8, 8, 3), np.uint8)
    own = Answers(said, np.full(4, 0.75, np.float32))
    card = ReportCard(("a", "b"), "test", np.arange(4), labels_, own, taught, 0.5, np.array([2]), pictures)
    card.save(Examination(run).path)
    app = open_page("runs", run=run.id)
    (content,) = (one for one in contents(app) if "said" in one)
    assert "Examine the student" not in labels(app)
    said = {one["label"]: one["value"] for one in content["said"]}
    assert said["student"] == "75.00 %" and said["teacher"] == "100.00 %"
    assert said["change, in points"] == "−25.00" and said["answered differently"] == "1 of 4"
    assert content["disagreements"][0]["student"] == {"name": "a", "p": 0.75, "right": False}
    assert content["disagreements"][0]["address"].startswith("data:image/png")
    (Examination(run).path / "report.npz").write_bytes(b"no")
    st.cache_resource.clear()
    broken = open_page("runs", run=run.id)
    assert not broken.exception and "must hold the answers of a student" in broken.error[0].value


def test_an_examination_that_failed_says_why_and_can_be_made_again(open_page, make_run, monkeypatch):
    run = make_run("finished")
    examination = Examination(run)
    examination.prepare()
    examination.set_state("failed", reason="the data are gone")
    app = open_page("runs", run=run.id)
    assert "the data are gone" in app.error[0].value
    started = []
    monkeypatch.setattr(Examination, "start", lambda self, module, **_: started.append(module) or 1)
    widget(app.button, "Examine the student").click().run()
    assert started == ["pursuhint.runs.examine"]


def test_the_foot_tells_what_the_disk_holds(open_page, make_run):
    (make_run("finished").path / "large").write_bytes(bytes(3_000_000))
    (foot,) = [one.value for one in open_page("runs").caption if one.value.startswith("On disk: ")]
    assert "runs 3.0 MB" in foot and foot.endswith(" free")


def test_the_table_lists_all_runs_newest_first(open_page, make_run):
    names = [make_run("finished", name=f"run {number}").run_settings.title for number in range(3)]
    rows = open_page("runs").dataframe[0].value
    assert sorted(rows["run"]) == sorted(names) and rows["accuracy"].tolist() == [91.0] * 3


def test_log_and_warnings_are_shown(open_page, make_run):
    run = make_run("finished")
    run.journal.append("warning", text="L_hint makes up 0.20% of the gradient")
    app = open_page("runs")
    assert "epoch 2" in app.code[-1].value and "0.20%" in app.warning[0].value
    assert str(run.path) in texts(app)


def test_the_sidebar_tells_of_a_live_run(open_page, make_run):
    make_run("running", epochs=4, name="my student")
    app = open_page("teacher")
    assert any("my student" in one.value for one in app.sidebar.markdown)
    assert "epoch 4 / 4" in [one.value for one in app.sidebar.caption]

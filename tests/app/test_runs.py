"""Runs: each state shows what can be done, the curves hold what the journal says, deleting asks first."""

from __future__ import annotations

import pytest

from app import curves
from app.state import KEY
from pursuhint.files import read_json, write_json
from pursuhint.hints import choose_hints
from pursuhint.origin import origin
from pursuhint.runs import RunFolder, list_runs
from tests.app.conftest import texts, widget


def labels(app) -> set[str]:
    """Return the labels of all buttons."""
    return {one.label for one in (*app.button, *app.get("download_button"))}


@pytest.mark.parametrize(
    ("state", "offered", "missing"),
    [
        ("running", {"Stop"}, {"Delete", "Resume", "Download student"}),
        ("finished", {"Delete", "Download student"}, {"Stop", "Resume"}),
        ("stopped", {"Delete", "Resume"}, {"Stop", "Download student"}),
        ("failed", {"Delete", "Resume"}, {"Stop", "Download student"}),
        ("lost", {"Delete", "Resume"}, {"Stop", "Download student"}),
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


def test_figures_of_a_finished_run_come_from_test(open_page, make_run):
    make_run("finished")
    sizes = {one.label: one.value for one in open_page("runs").metric}
    assert sizes["test accuracy"] == "91.00 %" and sizes["compression"] == "10.93 ×"
    assert sizes["epoch"] == "3 of 3"


def test_curves_hold_the_journal_and_the_teacher(make_run):
    history = make_run("finished").history()
    loss = curves.losses(history, 3)
    rows = loss["dataset"]["source"]
    assert [one["name"] for one in loss["series"]] == ["total", "γ·L_cls", "α·L_logit", "β·L_hint"]
    terms = rows[["γ·L_cls", "α·L_logit", "β·L_hint"]].sum(axis=1)
    assert rows["total"].tolist() == pytest.approx(terms.tolist()) and rows["epoch"].tolist() == [1, 2, 3]
    accuracy = curves.accuracies(history, 3, 0.996, "#000000")
    assert accuracy["dataset"]["source"]["validation accuracy"].tolist() == pytest.approx([60, 70, 80])
    assert accuracy["series"][0]["markLine"]["data"][0]["yAxis"] == pytest.approx(99.6)
    assert accuracy["yAxis"]["min"] <= 60 and accuracy["yAxis"]["max"] == 100
    assert not loss["animation"] and not accuracy["animation"]


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
    assert not app.exception and not app.get("echarts_chart")
    assert set(words) <= {one.value for one in app.caption}
    assert app.dataframe[0].value["accuracy"].isna().all()
    assert app.dataframe[0].proto.placeholder == "–"


def test_a_run_with_steps_draws_its_curves(open_page, make_run):
    app = open_page("runs", run=make_run("running").id)
    assert len(app.get("echarts_chart")) == 2 and "waiting" not in texts(app)


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
    from app import runs_view

    assert {run.id for run in list_runs()} == {kept.id, gone.id}
    runs_view.remove(app.session_state[KEY], gone)
    assert [run.id for run in list_runs()] == [kept.id]
    assert gone.id not in app.session_state[KEY].histories


def test_the_table_lists_all_runs_newest_first(open_page, make_run):
    names = [make_run("finished", name=f"run {number}").run_settings.title for number in range(3)]
    rows = open_page("runs").dataframe[0].value
    assert sorted(rows["run"]) == sorted(names) and rows["accuracy"].tolist() == [91.0] * 3


def test_log_and_warnings_are_shown(open_page, make_run):
    run = make_run("finished")
    run.journal.append("warning", text="L_hint makes up 0.20% of the gradient")
    app = open_page("runs")
    assert "epoch 2" in app.code[0].value and "0.20%" in app.warning[0].value
    assert str(run.path) in texts(app)


def test_the_sidebar_tells_of_a_live_run(open_page, make_run):
    make_run("running", epochs=4, name="my student")
    app = open_page("teacher")
    assert any("my student" in one.value for one in app.sidebar.markdown)
    assert "epoch 4 / 4" in [one.value for one in app.sidebar.caption]

"""Every page opens from every state: nothing there, the analysed teacher, broken files."""

from __future__ import annotations

import json

import pytest

from pursuhint.allowed import VARIABLE
from tests.app.conftest import texts

PAGES = ("teacher", "similarity", "what_a_layer_sees", "hint_points", "distill", "runs")
TITLES = ("Teacher", "Similarity", "What a layer sees", "Hint points", "Distill", "Runs")


@pytest.mark.parametrize(("page", "title"), list(zip(PAGES, TITLES, strict=True)))
def test_opens_with_the_teacher_analysed(open_page, teacher, page, title):
    app = open_page(page)
    assert not app.exception and not app.error
    assert app.title[0].value == title
    assert "digits-resnet56" in texts(app)


@pytest.mark.parametrize("page", PAGES[1:-1])
def test_without_a_teacher_says_where_to_get_one(open_page, tmp_path, monkeypatch, page):
    monkeypatch.setenv("PURSUHINT_ANALYSIS", str(tmp_path / "none"))
    app = open_page(page)
    assert not app.exception and not app.error
    assert "needs an analysed teacher" in texts(app)


def test_first_page_without_a_teacher_asks_for_one(open_page, tmp_path, monkeypatch):
    monkeypatch.setenv("PURSUHINT_ANALYSIS", str(tmp_path / "none"))
    app = open_page("teacher")
    assert not app.exception and not app.error
    assert "Choose one to begin" in texts(app)
    assert [box.label for box in app.text_input][:2] == ["Network", "Checkpoint"]


def test_runs_without_runs_says_how_to_start_one(open_page, teacher):
    assert "No runs yet" in texts(open_page("runs"))


@pytest.mark.parametrize("page", PAGES)
def test_broken_analysis_is_one_clear_line(open_page, teacher, page):
    (teacher.path / "analysis.json").write_text('{"format": 1, "teacher"', encoding="utf-8")
    app = open_page(page)
    assert not app.exception
    if page != "runs":
        assert len(app.error) == 1 and "must be JSON" in app.error[0].value


@pytest.mark.parametrize("page", PAGES)
def test_analysis_of_another_version_says_so(open_page, teacher, page):
    (teacher.path / "analysis.json").write_text('{"format": 7}', encoding="utf-8")
    app = open_page(page)
    assert not app.exception
    if page != "runs":
        assert "is an analysis of version 7; this program" in app.error[0].value.replace("\\", "")


def test_a_run_of_a_newer_version_is_refused_with_words(open_page, make_run):
    run, other = make_run("finished", name="later"), make_run("finished", name="ours")
    path = run.path / "settings.json"
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"version": 9}), encoding="utf-8"
    )
    (app := open_page("runs", run=run.id)).run()
    assert not app.exception
    assert "is a job of version 9; this program" in app.error[0].value.replace("\\", "")
    assert other.summary()["name"] == "ours"


@pytest.mark.parametrize("page", [*PAGES, "lesson"])
def test_explanations_stand_on_every_page_once_they_are_switched_on(open_page, make_run, page):
    make_run("finished")
    app = open_page(page, explain="1")
    assert not app.exception and not app.error
    assert app.toggle(key="explain").value
    assert "Source: " in texts(app) or page in ("teacher", "runs")
    explained = [one.value for one in app.markdown if one.value.startswith(":small[**")]
    assert explained
    app.toggle(key="explain").set_value(False).run()
    assert not [one.value for one in app.markdown if one.value.startswith(":small[**")]
    assert "explain" not in app.query_params


@pytest.mark.parametrize("page", PAGES)
def test_a_broken_run_stops_no_page(open_page, make_run, page):
    make_run("finished")
    (make_run("finished").path / "settings.json").write_text("{}", encoding="utf-8")
    assert not open_page(page).exception


def test_first_page_can_still_choose_another_teacher_when_this_one_is_broken(open_page, teacher):
    (teacher.path / "analysis.json").write_text("no", encoding="utf-8")
    app = open_page("teacher")
    assert [box.label for box in app.text_input][:2] == ["Network", "Checkpoint"]


def test_the_address_names_another_analysis_that_may_be_read(open_page, teacher, tmp_path, monkeypatch):
    other = teacher.path.rename(tmp_path / "other")
    app = open_page("similarity", teacher=str(other))
    assert not app.error and app.title[0].value == "Similarity"
    assert app.query_params["teacher"] in (str(other), [str(other)])
    monkeypatch.setenv(VARIABLE, "")  # the data folder alone
    app = open_page("similarity", teacher=str(tmp_path))
    assert not app.exception and "lies outside of the folders that may be read" in app.error[0].value


def test_the_address_names_an_analysis_that_is_not_there(open_page, teacher):
    app = open_page("similarity", teacher="nonsense")
    assert not app.exception
    assert "nonsense` holds no analysis" in app.error[0].value
    assert app.title[0].value == "Similarity"  # of the analysis opened first

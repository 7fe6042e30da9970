"""Pages in states that nobody plans for: files lost or damaged, odd networks, hostile names, a defect."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app import current, failures
from app.state import KEY
from pursuhint.analysis import AnalysisFolder
from pursuhint.files import read_json, write_json
from pursuhint.hints import choose_hints
from tests.app.conftest import hint_points, texts, widget

PAGES = ("teacher", "similarity", "what_a_layer_sees", "hint_points", "distill", "runs")
TITLES = ("Teacher", "Similarity", "What a layer sees", "Hint points", "Distill", "Runs")
NAMES = (
    "<b>bold</b>.*stars*.`code`.$x$",
    "שכבה.1",
    ":red[coloured]",
    "emoji🦊.block",
    "a|b[c](d)" + 190 * "x",
)


@pytest.fixture
def change(teacher: AnalysisFolder) -> Callable[..., None]:
    """Write the analysis of another network: ``change(layers=..., classes=...)`` take the present values."""

    def write(**changed: Callable) -> None:
        card = read_json(teacher.path / "analysis.json")
        card |= {name: work(card[name]) for name, work in changed.items()}
        write_json(teacher.path / "analysis.json", card)
        for kept in ("matrices", "stability", "layer-maps"):
            shutil.rmtree(teacher.path / kept)

    return write


def walk(open_page) -> dict[str, list[str]]:
    """Open all pages one after the other and return the errors that each shows."""
    app, said = open_page("teacher"), {}
    for page in PAGES:
        app.switch_page(f"../pages/{page}.py").run()
        assert not app.exception, (page, app.exception)
        said[page] = [one.value for one in app.error]
    return said


@pytest.mark.parametrize(
    ("name", "damage", "stopped"),
    [
        ("score.json", "gone", set()),
        ("score.json", "cut short", {"teacher"}),
        ("students.json", "cut short", {"distill"}),
        ("settings.json", "gone", {"distill"}),
        ("samples.npz", "cut short", set(PAGES[:-1])),
        ("thumbnails.npz", "gone", {"teacher", "what_a_layer_sees"}),
        ("thumbnails.npz", "cut short", {"teacher", "what_a_layer_sees"}),
    ],
)
def test_a_lost_or_damaged_file_is_said_where_it_is_needed(open_page, teacher, name, damage, stopped):
    path = teacher.path / name
    path.unlink() if damage == "gone" else path.write_bytes(path.read_bytes()[:5])
    said = walk(open_page)
    assert {page for page, errors in said.items() if errors} == stopped
    assert all(name.partition(".")[0] in error for errors in said.values() for error in errors)


def test_kept_work_that_is_damaged_is_made_again_without_a_word(open_page, teacher):
    for folder in ("matrices", "stability", "layer-maps"):
        for file in (teacher.path / folder).iterdir():
            file.write_bytes(b"PK")
    (teacher.path / "journal.jsonl").unlink()
    assert not any(walk(open_page).values())
    assert teacher.layer_map(teacher.similarity("r2_cca")) is None and teacher.kept_left_out("r2_cca") is None


@pytest.mark.parametrize("page", PAGES[1:-1])
def test_an_analysis_that_cannot_be_read_still_has_its_title_and_a_way_out(open_page, teacher, page):
    (teacher.path / "analysis.json").write_text("no", encoding="utf-8")
    app = open_page(page)
    assert app.title[0].value == TITLES[PAGES.index(page)]
    assert "needs an analysed teacher" in texts(app) and len(app.error) == 1


def test_names_are_shown_as_they_are_written(open_page, teacher, change):
    def named(layers: list[dict]) -> list[dict]:
        return [layer | {"name": name} for layer, name in zip(layers, NAMES, strict=False)] + layers[5:]

    spec = "zoo:<b>net</b> *x*" + 190 * "w"
    change(
        layers=named,
        teacher=lambda ref: ref | {"spec": spec},
        data=lambda _: "digits",
        classes=lambda classes: [*NAMES, *classes[5:]],
    )
    assert not any(walk(open_page).values())
    app = open_page("hint_points")
    points = choose_hints(AnalysisFolder(teacher.path)).hint_points
    app.session_state[KEY].edit(choose_hints(AnalysisFolder(teacher.path)).toggled(NAMES[0]))
    app.run()
    assert "\\<b\\>bold\\</b\\>.\\*stars\\*.\\`code\\`.\\$x\\$" in " ".join(hint_points(app))
    assert len(hint_points(app)) == len(points) + 1
    assert any(one.value.startswith("**\\<b\\>net\\</b\\> \\*x\\*") for one in app.sidebar.markdown)


def test_two_layers_have_no_silhouette_and_say_so(open_page, teacher, change):
    change(layers=lambda layers: layers[::26], checksums=lambda sums: sums[::26])
    shutil.copy(teacher.path / "features" / "026.npy", teacher.path / "features" / "001.npy")
    assert not any(walk(open_page).values())
    app = open_page("hint_points")
    assert hint_points(app) == ("layer1.0", "layer3.8")
    assert "A silhouette needs at least two clusters" in texts(app)


def test_one_layer_cannot_be_compared_and_every_page_says_so(open_page, change):
    change(layers=lambda layers: layers[:1], checksums=lambda sums: sums[:1])
    said = walk(open_page)
    assert {page for page, errors in said.items() if errors} == set(PAGES[1:-1])
    assert all("at least 2 layers" in error for errors in said.values() for error in errors)


def test_one_class_is_enough(open_page, teacher, change):
    change(classes=lambda _: ["all"])
    probe = {name: np.zeros_like(values) for name, values in teacher.probe.items() if name != "ids"}
    np.savez(teacher.path / "samples.npz", ids=teacher.probe["ids"], **probe)
    assert not any(walk(open_page).values())


@pytest.mark.parametrize("clusters", [1, 27])
def test_one_cluster_and_as_many_as_layers(open_page, teacher, clusters):
    app = open_page("hint_points")
    widget(app.number_input, "Clusters K").set_value(clusters).run()
    assert len(hint_points(app)) == clusters
    for page in PAGES:
        app.switch_page(f"../pages/{page}.py").run()
        assert not app.exception and not app.error


def test_a_dead_run_is_told_of_on_its_own_page_only(open_page, make_run):
    make_run("lost")
    said = walk(open_page)
    assert {page for page, errors in said.items() if errors} == {"runs"}


def test_a_defect_is_said_without_a_traceback_and_logged_with_one(open_page, teacher, monkeypatch, caplog):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by mistake")

    app = open_page("hint_points")
    with monkeypatch.context() as patch:
        patch.setattr(current, "plan", broken)
        app.run()
    assert not app.exception and "stopped at a mistake of the app" in texts(app)
    assert "ZeroDivisionError: by mistake" in [one.value for one in app.code]
    (record,) = [one for one in caplog.records if one.name == failures.LOG.name]
    assert record.levelno == logging.ERROR and record.exc_info[0] is ZeroDivisionError
    caplog.clear()  # here a defect is the point
    widget(app.button, "Try again").click().run()
    assert app.title[0].value == "Hint points" and hint_points(app)


def test_defects_in_parts_of_a_page_leave_the_others(open_page, make_run, monkeypatch, caplog):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by mistake")

    monkeypatch.setattr("app.runs.head.draw", broken)
    monkeypatch.setattr("app.runs.table.rows", broken)
    app = open_page("runs", run=make_run("finished").id)
    assert not app.exception and not app.error
    assert [one.value for one in app.code] == 2 * ["ZeroDivisionError: by mistake"]
    assert "The student's card" in texts(app) and "On disk" in texts(app)
    caplog.clear()  # here a defect is the point


def test_no_page_shows_a_traceback():
    import tomllib

    config = Path(__file__).parents[2] / "app" / ".streamlit" / "config.toml"
    assert tomllib.loads(config.read_text(encoding="utf-8"))["client"]["showErrorDetails"] == "none"

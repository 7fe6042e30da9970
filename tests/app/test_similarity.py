"""Similarity: two matrices, the pair that is explained, a teacher beside its student, the files."""

from __future__ import annotations

import json
import os
import shutil

import pandas as pd
import psutil
import pytest
from streamlit.typing import PlotlyState

from app import downloads, matrices, pair
from app.choices import Beside
from app.state import KEY
from pursuhint.analysis import AnalysisFolder
from pursuhint.analysis.cross import student_settings
from pursuhint.analysis.siblings import sibling_settings
from pursuhint.errors import PursuhintError
from pursuhint.files import read_json, write_json
from pursuhint.home import analyses_folder
from pursuhint.similarity import SimilarityMatrix, side_by_side
from tests.app.conftest import call, texts, widget


@pytest.fixture
def compare(open_page, teacher):
    """Open the page with something beside the matrix: ``compare(show="two")``."""

    def go(**beside):
        app = open_page("similarity")
        app.session_state[KEY].compare(**beside)
        return app.run()

    return go


@pytest.fixture
def files(monkeypatch) -> set[str]:
    """The names of all files that were offered."""
    names, offer = set(), downloads.offer

    def note(key, name, **content):
        names.add(name)
        offer(key, name, **content)

    monkeypatch.setattr("app.downloads.offer", note)
    return names


@pytest.fixture
def asked(monkeypatch) -> list:
    """What the worker was asked for; it starts and does nothing."""
    requests = []

    def request(settings):
        requests.append(settings)
        return live(settings)

    monkeypatch.setattr("app.analyses.request_analysis", request)
    return requests


def live(settings) -> AnalysisFolder:
    folder = AnalysisFolder(analyses_folder() / settings.key())
    folder.create(settings.model_dump(mode="json"))
    me = psutil.Process(os.getpid())
    folder.set_state("running", pid=me.pid, born=me.create_time())
    folder.journal.append("stage", stage="layers")
    folder.journal.append("progress", stage="reading", done=100, total=1000)
    return folder


def figures(app) -> list[dict]:
    return [json.loads(one.proto.spec) for one in app.get("plotly_chart")]


def table(app, column: str) -> pd.DataFrame:
    return next(one.value for one in app.dataframe if column in one.value)


def test_two_metrics_stand_beside_their_difference(compare, teacher, files):
    app = compare(show="two", metric="cka_linear")
    assert not app.exception and not app.error
    titles = [one["data"][0]["colorbar"]["title"]["text"] for one in figures(app)]
    assert titles == [
        "R²-CCA similarity (1 = same)",
        "Linear CKA similarity (1 = same)",
        "Linear CKA less R²-CCA (0 = the same)",
    ]
    scales = [(one["data"][0]["zmin"], one["data"][0]["zmax"]) for one in figures(app)]
    assert scales[0] == scales[1] and scales[2][0] == -scales[2][1]
    compared = side_by_side(teacher.similarity("r2_cca"), teacher.similarity("cka_linear"))
    assert f"**{compared.rank_correlation:.3f}** rank correlation" in texts(app)
    largest = table(app, "difference")
    assert largest["difference"].tolist() == [one.change for one in compared.largest]
    assert "digits-resnet56-r2_cca-vs-cka_linear-difference" in files
    assert "digits-resnet56-r2_cca-vs-cka_linear-largest-differences" in files
    notes = table(app, "status")
    assert notes["matrix"].tolist() == ["first"] * 27 + ["second"] * 27


def test_another_number_of_images_can_be_the_second_matrix(compare, teacher, files):
    app = compare(show="two", metric="r2_cca", samples=250)
    assert not app.exception and "250 images, mean pooling" in texts(app)
    compared = side_by_side(teacher.similarity("r2_cca"), teacher.similarity("r2_cca", samples=250))
    assert f"**{compared.rank_correlation:.3f}**" in texts(app)
    assert {"few samples"} <= {status[0] for status in table(app, "status")["status"]}
    assert "digits-resnet56-r2_cca-1000-vs-r2_cca-250-difference" in files
    title = figures(app)[2]["data"][0]["colorbar"]["title"]["text"]
    assert title == "R²-CCA, 250 images less R²-CCA, 1,000 images (0 = the same)"


def test_a_matrix_beside_itself_is_said_to_be_the_same(compare, teacher):
    app = compare(show="two", metric="r2_cca")
    assert not app.exception and "**same matrix** twice: choose another" in texts(app)
    assert "rank correlation" not in texts(app)


def test_a_pooling_that_is_not_there_is_offered_and_watched(compare, teacher, asked):
    app = compare(show="two", pooling="grid2")
    assert len(figures(app)) == 1 and "is not there yet" in texts(app)
    widget(app.button, "Compute it").click().run()
    assert asked == [sibling_settings(teacher, "grid2")] and not app.exception
    assert "**Passing the probe images through it**" in texts(app) and "100 of 1,000 images" in texts(app)
    widget(app.button, "Cancel").click().run()
    folder = AnalysisFolder(analyses_folder() / asked[0].key())
    assert folder.stop_asked()
    folder.set_state("stopped", reason="cancelled")
    app.run()
    assert "cancelled" in app.error[0].value and widget(app.button, "Compute it")


def test_a_pooling_that_is_there_is_compared(compare, teacher, files):
    other = analyses_folder() / "0123456789ab"
    shutil.copytree(teacher.path, other)
    shutil.rmtree(other / "matrices")  # they say how they were pooled
    write_json(other / "analysis.json", read_json(other / "analysis.json") | {"pooling": "grid2"})
    app = compare(show="two", pooling="grid2", metric="r2_cca")
    assert not app.exception and len(figures(app)) == 3
    assert "**1.000** rank correlation" in texts(app)
    assert "digits-resnet56-r2_cca-mean-vs-r2_cca-grid2-difference" in files


def test_a_click_on_a_cell_explains_the_pair(open_page, teacher):
    app = open_page("similarity")
    point = {"selection": {"points": [{"customdata": ["layer1.3", "layer3.2"]}]}}
    call(app, pair.picked("heatmap")["on_select"], {"heatmap": PlotlyState(point)})
    assert not app.exception
    assert [widget(app.selectbox, f"Layer of the {part}").value for part in ("row", "column")] == [
        "layer1.3",
        "layer3.2",
    ]
    assert "layer1.3 and layer3.2 are 0.576 alike by R²-CCA" in texts(app)
    assert "is blind to: invertible linear" in texts(app)
    readings = table(app, "similarity").set_index("metric")
    assert readings.loc["R²-CCA", "95 % interval"] == "0.561 to 0.591"
    assert "between 0.561 and 0.591 (95 %" in texts(app)
    assert readings.loc["PWCCA", "blind to"] == "isotropic scaling, translation"
    (shown,) = [one.proto.column_order for one in app.dataframe if "unrelated layers" in one.value]
    assert shown == ["metric", "similarity", "unrelated layers"]  # all that the card has room for
    assert readings.loc["Linear CKA", "similarity"] == pytest.approx(0.3696, abs=1e-4)
    widget(app.selectbox, "Layer of the column").set_value("layer1.3").run()
    assert "layer1.3 with itself" in texts(app)
    nothing = PlotlyState({"selection": {"points": []}})
    call(app, pair.picked("heatmap")["on_select"], {"heatmap": nothing})
    assert app.session_state[KEY].beside.pair == ("layer1.3", "layer1.3")


def test_without_a_run_there_is_a_way_to_one(compare):
    app = compare(show="student")
    assert not app.exception and "No student was trained yet" in texts(app)


@pytest.mark.parametrize(
    ("state", "said"), [("running", "has no student yet: it is running"), ("failed", "failed")]
)
def test_a_run_without_a_student_says_so(compare, make_run, state, said):
    make_run(state)
    app = compare(show="student")
    assert not app.exception and said in app.error[0].value


def test_a_run_of_another_teacher_is_refused(compare, make_run, teacher):
    run = make_run("finished")
    settings = read_json(run.path / "settings.json")
    settings["plan"]["teacher"]["hash"] = "f" * 16
    write_json(run.path / "settings.json", settings)
    app = compare(show="student")
    assert not app.exception and "learnt from another teacher" in app.error[0].value


def test_a_student_is_analysed_once_and_then_compared(compare, make_run, teacher, asked):
    run = make_run("finished")
    app = compare(show="student")
    widget(app.button, "Compare them").click().run()
    assert asked == [student_settings(run, teacher)] and "Loading the network" in texts(app)
    folder = analyses_folder() / asked[0].key()
    shutil.rmtree(folder)
    shutil.copytree(teacher.path, folder)
    app.run()
    assert not app.exception and not app.error
    (drawn,) = figures(app)
    rings = drawn["data"][-1]
    assert rings["marker"]["symbol"] == "circle-open"
    assert len(rings["x"]) == 2  # of three pairs; one has the frame
    assert table(app, "status")["network"].tolist() == ["teacher"] * 27 + ["student"] * 27
    assert {one.label for one in app.get("download_button") if "student" in one.key} == {"HTML", "CSV", "NPZ"}
    assert "The teacher's layer1.1 and the student's layer1.8 are" in texts(app)


def test_a_broken_run_is_named_and_stops_nothing(compare, make_run):
    (make_run("finished").path / "settings.json").write_text("{}", encoding="utf-8")
    app = compare(show="student")
    assert not app.exception and "cannot be read" in app.error[0].value


def test_a_broken_matrix_file_is_computed_anew(compare, teacher):
    (teacher.path / "matrices" / "cka_linear.npz").write_bytes(b"half")
    app = compare(show="two", metric="cka_linear")
    assert not app.exception and not app.error and len(figures(app)) == 3


def test_another_teacher_begins_anew(compare, teacher):
    mine = compare(show="two", metric="rsa", pair=("layer1.0", "layer1.1")).session_state[KEY]
    mine.compare(show="student")
    assert mine.beside.pair == ()  # layers of another network
    mine.open_teacher(teacher)
    assert mine.beside == Beside()


def test_files_hold_what_is_shown(teacher, tmp_path):
    matrix = teacher.similarity("r2_cca")
    (tmp_path / "matrix.npz").write_bytes(downloads.written(matrix))
    assert SimilarityMatrix.load(tmp_path / "matrix.npz").layers == matrix.layers
    notes = matrices.layer_table(matrix.notes)
    assert (
        downloads._csv(notes, False).splitlines()[1].startswith('layer1.0,ok,16,16,62.5,"all 16 directions')
    )


def test_what_goes_wrong_in_the_worker_is_said(compare, make_run, teacher):
    settings = student_settings(make_run("finished"), teacher)
    live(settings).set_state("failed", reason="the checkpoint tells 100 classes apart")
    app = compare(show="student")
    assert "100 classes apart" in app.error[0].value and widget(app.button, "Compare them")


def test_an_unforeseen_refusal_stays_in_its_place(compare, monkeypatch):
    def refuse(*_, **__):
        raise PursuhintError("no")

    monkeypatch.setattr("app.cached.pair_facts", refuse)
    app = compare(show="one")
    assert not app.exception and app.error[0].value == "no" and figures(app)

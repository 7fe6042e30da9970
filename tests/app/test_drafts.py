"""Work at a plan is found again under the id in the address, and nobody else changes it."""

from __future__ import annotations

import json

import pytest

from app.choices import Choice
from app.state import KEY, STEPS, AppState
from pursuhint.drafts import Draft, load_draft, save_draft
from pursuhint.errors import StorageError
from pursuhint.hints import choose_hints
from pursuhint.home import drafts_folder
from tests.app.conftest import hint_points, widget
from tests.app.test_explorer import send

ID = "0123456789ab"


def identity(app) -> str:
    """Return the id in the address."""
    named = app.query_params["draft"]
    return named if isinstance(named, str) else named[0]


def test_a_visit_that_changes_nothing_leaves_nothing(open_page, teacher):
    app = open_page("hint_points")
    send(app, "selected", "layer1.0")
    assert "draft" not in app.query_params and not drafts_folder().exists()


def test_a_reload_or_another_tab_finds_the_work(open_page, teacher):
    app = open_page("hint_points")
    send(app, "clusters", 4)
    send(app, "toggle", "layer1.0")
    found, again = hint_points(app), open_page("hint_points", draft=identity(app))
    assert hint_points(again) == found and not again.error
    assert again.session_state[KEY].choice == Choice(clusters=4)
    assert "layer1.0" in open_page("distill", draft=identity(app)).caption[0].value  # on other pages, too
    assert len(list(drafts_folder().iterdir())) == 1  # reading writes nothing


def test_two_visitors_do_not_disturb_each_other(open_page, teacher):
    first = open_page("hint_points")
    send(first, "toggle", "layer1.0")
    second = open_page("hint_points", draft=identity(first))
    send(second, "toggle", "layer3.8")
    assert identity(second) != identity(first)
    assert "layer3.8" not in load_draft(identity(first)).plan.hint_points
    assert {"layer1.0", "layer3.8"} < set(load_draft(identity(second)).plan.hint_points)
    former = identity(second)
    send(second, "toggle", "layer3.7")
    assert identity(second) == former  # its own draft goes on


def test_back_to_automatic_is_kept_as_well(open_page, teacher):
    app = open_page("hint_points")
    send(app, "toggle", "layer1.0")
    widget(app.button, "Back to automatic").click().run()
    assert load_draft(identity(app)).plan is None
    assert hint_points(open_page("hint_points", draft=identity(app))) == choose_hints(teacher).hint_points


def test_changes_under_another_choice_wait_after_a_reload_as_well(open_page, teacher):
    app = open_page("hint_points")
    send(app, "toggle", "layer1.0")
    found = hint_points(app)
    send(app, "clusters", 5)
    again = open_page("hint_points", draft=identity(app))
    assert hint_points(again) == choose_hints(teacher, clusters=5).hint_points
    assert len(list(drafts_folder().iterdir())) == 1  # reading writes nothing
    send(again, "clusters", 3)
    assert hint_points(again) == found


def draft_of(analysis, **changed) -> Draft:
    fields = {"teacher": analysis.card.teacher.hash, "metric": "r2_cca", "method": "pursuhint", "clusters": 4}
    return Draft(**fields | changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"teacher": "f" * 16}, "this draft was made for another teacher"),
        ({"metric": "nonsense"}, "unknown metric `nonsense`"),
        ({"method": "nonsense"}, "unknown method `nonsense`"),
        ({"clusters": 99}, "number of clusters must lie between 1 and the number of layers, 27: found 99"),
        ({"samples": 10**6}, "`samples` must lie between 1 and 1000"),
    ],
)
def test_a_draft_that_does_not_fit_is_refused_in_one_line(open_page, teacher, changed, said):
    save_draft(ID, draft_of(teacher, **changed))
    refused(open_page, teacher, ID, said)


def test_a_plan_of_other_layers_is_refused(open_page, teacher):
    other = {"layers": ("a", "b"), "clusters": (("a", "b"),), "centres": ("a",)}
    save_draft(ID, draft_of(teacher, plan=choose_hints(teacher).model_copy(update=other)))
    refused(open_page, teacher, ID, "the clustering must be of the matrix's own 27 layers: found one of 2")


def test_a_damaged_a_missing_and_a_wrong_draft(open_page, teacher):
    save_draft(ID, draft_of(teacher))
    path = drafts_folder() / f"{ID}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"clusters": "x"}))
    refused(open_page, teacher, ID, f"the draft `{ID}` is damaged")
    path.write_text("{")
    refused(open_page, teacher, ID, "must be JSON")
    refused(open_page, teacher, "a" * 12, "there is no draft `aaaaaaaaaaaa` here")
    refused(open_page, teacher, "../../etc/passwd", "the id of a draft has 12 hexadecimal digits")


def refused(open_page, teacher, named: str, said: str) -> None:
    """The page says so once and shows the automatic plan; the address forgets the draft."""
    app = open_page("hint_points", draft=named)
    assert not app.exception and len(app.error) == 1 and said in app.error[0].value
    assert hint_points(app) == choose_hints(teacher).hint_points
    assert "draft" not in app.query_params
    assert not app.run().error


def test_without_a_teacher_there_is_no_draft(open_page, tmp_path, monkeypatch):
    monkeypatch.setenv("PURSUHINT_ANALYSIS", str(tmp_path / "none"))
    save_draft(ID, Draft(teacher="f", metric="r2_cca", method="pursuhint", clusters=3))
    app = open_page("hint_points", draft=ID)
    assert not app.exception and "no teacher to compare the draft with" in app.error[0].value


def test_a_full_disk_is_said_until_the_draft_is_kept_and_stops_nothing(open_page, teacher, monkeypatch):
    def full(identity, draft):
        raise StorageError("cannot write `drafts`: No space left on device; free some space")

    app = open_page("hint_points")
    with monkeypatch.context() as patch:
        patch.setattr("app.drafts.save_draft", full)
        send(app, "toggle", "layer1.0")
        for _ in range(2):
            assert not app.exception and "No space left" in app.error[0].value
            assert "layer1.0" in hint_points(app) and "draft" not in app.query_params
            app.run()
    assert not app.run().error
    assert "layer1.0" in load_draft(identity(app)).plan.hint_points


def test_only_so_many_steps_can_be_undone(teacher):
    mine = AppState()
    for clusters in range(4, 4 + 2 * STEPS):
        mine.choose(clusters=clusters)
    assert len(mine.past) == STEPS
    while mine.past:
        mine.undo()
    assert mine.choice.clusters == 3 + STEPS and len(mine.future) == STEPS
    mine.undo()  # nothing is left to undo
    assert mine.choice.clusters == 3 + STEPS

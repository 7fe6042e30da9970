"""The visitor's state changes by named transitions only, and each drops what it makes untrue."""

from __future__ import annotations

import pytest

from app.choices import Choice
from app.state import AppState
from pursuhint.analysis import AnalysisFolder
from pursuhint.hints import choose_hints


@pytest.fixture
def mine(teacher) -> AppState:
    state = AppState()
    state.open_teacher(AnalysisFolder.open(teacher.path))
    return state


def test_another_teacher_drops_choice_plans_pairs_and_student(mine, teacher):
    mine.choose(metric="cka_linear", clusters=5)
    mine.edit(choose_hints(teacher).toggled("layer1.0"))
    mine.cook(student="zoo:resnet8", epochs=7)
    mine.guide("layer1.0", "layer1.0")
    mine.watch(teacher)
    mine.open_teacher(AnalysisFolder.open(teacher.path))
    assert (mine.choice, mine.edited, mine.guided, mine.watched) == (Choice(), {}, {}, None)
    assert (mine.recipe.student, mine.recipe.epochs) == ("", 7)


def test_an_edited_plan_waits_under_its_own_choice(mine, teacher):
    edited = choose_hints(teacher).toggled("layer1.0")
    mine.edit(edited)
    mine.choose(clusters=5)
    assert mine.edited.get(mine.choice) is None
    mine.choose(clusters=3)
    assert mine.edited[mine.choice] is edited
    mine.forget_edits()
    assert mine.edited == {}


def test_an_opened_plan_brings_its_choice(mine, teacher):
    mine.adopt(choose_hints(teacher, metric="cka_rbf", clusters=4, method="kmedoids"))
    assert mine.choice == Choice("cka_rbf", "kmedoids", 4)


def test_another_student_gets_its_default_pairs(mine):
    mine.cook(student="zoo:resnet8")
    mine.guide("layer1.1", "layer2.0")
    mine.cook(epochs=3)
    assert mine.guided == {"layer1.1": "layer2.0"}
    mine.cook(student="zoo:resnet14")
    assert mine.guided == {}


def test_one_ticket_starts_one_run(mine):
    started = []

    def start() -> str:
        started.append(len(started))
        return f"run-{len(started)}"

    ticket = mine.ticket
    assert [mine.launch(ticket, start), mine.launch(ticket, start)] == ["run-1", "run-1"]
    mine.renew_ticket()
    mine.renew_ticket()
    assert mine.ticket == 1 and mine.launch(mine.ticket, start) == "run-2"
    assert len(started) == 2


def test_a_reason_is_kept_with_the_change(mine, teacher):
    plan = choose_hints(teacher).toggled("layer1.0").toggled("layer2.0")
    mine.note("layer2.0", "sharp jump", plan)
    assert [(o.layer, o.why) for o in mine.edited[mine.choice].overrides] == [
        ("layer1.0", ""),
        ("layer2.0", "sharp jump"),
    ]

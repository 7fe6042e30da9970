from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from pursuhint.errors import InputError
from pursuhint.runs.report_card import FIGURES, Answers, ReportCard
from pursuhint.runs.report_view import MOST_CLASSES, confusions, report_view

NAMES = ("ant", "bee", "cat", "dog")


@pytest.fixture
def card() -> ReportCard:
    """A student that is right on about 70 % of 200 images, beside a teacher that is on about 85 %."""
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 4, 200)

    def answers(right: float) -> Answers:
        guess = np.where(rng.random(200) < right, labels, rng.integers(0, 4, 200))
        return Answers(guess, rng.random(200).astype(np.float32))

    pictured, thumbnails = np.array([3, 5]), np.zeros((2, 8, 8, 3), np.uint8)
    ids = np.arange(1000, 1200)
    return ReportCard(NAMES, "test", ids, labels, answers(0.6), answers(0.8), 0.25, pictured, thumbnails)


def test_figures_are_those_of_scikit_learn(card):
    figures, table = card.figures(), card.figures()["per_class"]
    for who, answers in (("student", card.student), ("teacher", card.teacher)):
        np.testing.assert_array_equal(card.confusion(who), confusion_matrix(card.labels, answers.classes))
        assert figures[who]["accuracy"] == pytest.approx(accuracy_score(card.labels, answers.classes))
        recall = recall_score(card.labels, answers.classes, average=None)
        np.testing.assert_allclose(table[who], recall)
    low, high = binomtest(int(table["student"][0] * table["n"][0] + 0.5), table["n"][0]).proportion_ci(
        method="wilson"
    )
    assert (table["low"][0], table["high"][0]) == pytest.approx((low, high))
    np.testing.assert_allclose(table["change"], np.subtract(table["student"], table["teacher"]))
    assert all(
        a < b < c for a, b, c in zip(table["change_low"], table["change"], table["change_high"], strict=True)
    )


def test_mcnemars_table_counted_one_by_one(card):
    counts = {"both": 0, "student": 0, "teacher": 0, "neither": 0}
    for label, student, teacher in zip(card.labels, card.student.classes, card.teacher.classes, strict=True):
        who = {(True, True): "both", (True, False): "student", (False, True): "teacher"}
        counts[who.get((student == label, teacher == label), "neither")] += 1
    found = card.figures()["mcnemar"]
    assert {name: found[name] for name in counts} == counts
    only = counts["student"], counts["teacher"]
    assert found["p"] == pytest.approx(binomtest(only[0], sum(only)).pvalue)


def test_disagreements_begin_with_the_surest_error_that_the_teacher_does_not_make(card):
    apart = card.disagreements()
    assert set(apart) == set(np.flatnonzero(card.student.classes != card.teacher.classes))
    lost = card.teacher.classes[apart] == card.labels[apart]
    assert lost[: lost.sum()].all()
    assert (np.diff(card.student.confidence[apart][: lost.sum()]) <= 0).all()
    assert card.figures()["disagree"] == len(apart)


def test_a_card_comes_back_as_it_was(card, tmp_path):
    card.save(tmp_path)
    again = ReportCard.load(tmp_path)
    for name, value in vars(card).items():
        for one, other in zip(parts(value), parts(getattr(again, name)), strict=True):
            np.testing.assert_array_equal(one, other)
    assert again.figures() == card.figures()
    (tmp_path / "report.npz").write_bytes(b"no")
    with pytest.raises(InputError, match="must hold the answers of a student"):
        ReportCard.load(tmp_path)
    np.savez(tmp_path / "report.npz", ids=card.ids)
    with pytest.raises(InputError, match="lacks 'labels.*'; examine the student again"):
        ReportCard.load(tmp_path)
    (tmp_path / FIGURES).write_text('{"version": 0}')
    with pytest.raises(InputError, match="is of another version; examine the student again"):
        ReportCard.load(tmp_path)


def parts(value):
    return list(vars(value).values()) if isinstance(value, Answers) else [value]


def test_a_student_without_a_teacher_has_its_own_figures_only(card, tmp_path):
    alone = replace(card, teacher=None)
    assert "mcnemar" not in alone.figures() and "change" not in alone.figures()["per_class"]
    with pytest.raises(InputError, match="this student had no teacher; only its own answers are known"):
        alone.disagreements()
    alone.save(tmp_path)
    assert ReportCard.load(tmp_path).teacher is None
    view = report_view(alone)
    assert not view["taught"] and list(view["matrix"]) == ["student"]


def test_a_class_without_images_is_left_out_and_breaks_nothing(card):
    more = replace(card, classes=(*NAMES, "eel"))
    assert more.figures()["per_class"]["student"][-1] is None
    assert more.figures()["per_class"]["change"][-1] is None
    assert "eel" not in [row["name"] for row in report_view(more)["classes"]]


def test_what_is_drawn(card):
    view = report_view(card)
    changes = [row["change"] for row in view["classes"]]
    assert changes == sorted(changes) and len(changes) == 4
    image = view["disagreements"][0]
    assert image["id"] == 1003 and image["is"] == NAMES[card.labels[3]]
    assert image["student"]["name"] == NAMES[card.student.classes[3]]
    assert image["teacher"]["right"] == (card.teacher.classes[3] == card.labels[3])
    counted = {
        (NAMES[a], NAMES[b]): ((card.labels == a) & (card.student.classes == b)).sum()
        for a in range(4)
        for b in range(4)
        if a != b
    }
    listed = confusions(card, most=5)
    assert [one["student"] for one in listed] == sorted(counted.values(), reverse=True)[:5]
    assert all(counted[one["is"], one["taken"]] == one["student"] for one in listed)


def test_many_classes_have_no_matrix(card):
    names = tuple(map(str, range(MOST_CLASSES + 1)))
    assert report_view(replace(card, classes=names))["matrix"] is None

"""A report card as plain values for a drawing: classes by their change, confusions, disagreements."""

from __future__ import annotations

from typing import Any

import numpy as np

from pursuhint.runs.report_card import Answers, ReportCard

MOST_CLASSES = 20
"""Classes up to which a matrix of confusions can be read."""
MOST_CONFUSIONS = 24


def report_view(card: ReportCard) -> dict[str, Any]:
    """Return what is drawn of a report card; everything is JSON.

    Args:
        card: of a student.

    Returns:
        ``classes``: a row each, the one that lost most first; ``matrix``: of the student and the teacher, or
        None when there are too many classes; ``confusions``: the commonest; ``disagreements``: the images
        that have a thumbnail, each with both answers.
    """
    figures = card.figures()
    return {
        "taught": card.teacher is not None,
        "split": card.split,
        "classes": _classes(card, figures["per_class"]),
        "names": list(card.classes),
        "matrix": _matrices(card) if len(card.classes) <= MOST_CLASSES else None,
        "confusions": confusions(card),
        "disagreements": _pictured(card),
    }


def _classes(card: ReportCard, table: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [
        {"name": name} | {column: values[number] for column, values in table.items()}
        for number, name in enumerate(card.classes)
        if table["n"][number]
    ]
    return sorted(rows, key=lambda row: row.get("change", row["student"]))


def _matrices(card: ReportCard) -> dict[str, list[list[int]]]:
    found = {"student": card.confusion().tolist()}
    return found | ({"teacher": card.confusion("teacher").tolist()} if card.teacher else {})


def confusions(card: ReportCard, most: int = MOST_CONFUSIONS) -> list[dict[str, Any]]:
    """Return what the student mistakes for what, the commonest first, with how often its teacher does.

    Args:
        card: of the student.
        most: confusions that are returned.
    """
    wrong = card.confusion()
    np.fill_diagonal(wrong, 0)
    teacher = card.confusion("teacher") if card.teacher else None
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(card.classes)) for place in order]
    return [
        {
            "is": card.classes[row],
            "taken": card.classes[column],
            "student": int(wrong[row, column]),
            "teacher": int(teacher[row, column]) if teacher is not None else None,
        }
        for row, column in pairs
        if wrong[row, column]
    ]


def _pictured(card: ReportCard) -> list[dict[str, Any]]:
    def said(answers: Answers | None, place: int) -> dict[str, Any] | None:
        if answers is None:
            return None
        answer = int(answers.classes[place])
        confidence = float(answers.confidence[place])
        return {"name": card.classes[answer], "p": confidence, "right": answer == int(card.labels[place])}

    return [
        {
            "id": int(card.ids[place]),
            "is": card.classes[int(card.labels[place])],
            "student": said(card.student, place),
            "teacher": said(card.teacher, place),
        }
        for place in map(int, card.pictured)
    ]

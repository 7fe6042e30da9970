"""A student's report card as rows of a table: all images, then each class."""

from __future__ import annotations

from typing import Any

from pursuhint.cli.output import percent


def class_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return a row for all images and one for each class: shares in per cent, changes in points."""
    columns, taught = figures["per_class"], "teacher" in figures
    names = ("n", "student", "teacher", "change", "change_low", "change_high")
    whole = [figures["n"], figures["student"]["accuracy"]]
    if taught:
        change = figures["change"]
        whole += [figures["teacher"]["accuracy"], change["accuracy"], *change["interval"]]
    classes = zip(*(columns[name] for name in names if name in columns), strict=True)
    rows = []
    for label, (n, student, *beside) in zip(("all", *figures["classes"]), (whole, *classes), strict=True):
        if n:
            teacher, change, low, high = beside or (None, None, None, None)
            points = [f"{100 * value:+.1f}" for value in (change, low, high)] if beside else []
            span = (points[0], f"{points[1]} to {points[2]}") if beside else ("–", "–")
            rows.append((label, str(n), percent(student), percent(teacher), *span))
    return rows

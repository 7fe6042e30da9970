"""The student's card: its answers on the test images, class by class, beside its teacher's."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app import cached, failures, fragments, pictures
from app.chrome import percent
from app.drawing.drawing import ELEMENTS, register
from app.runs.levels import points
from pursuhint.jobs import LIVE
from pursuhint.runs import RunFolder
from pursuhint.runs.examine import Examination
from pursuhint.runs.report_card import FIGURES, ReportCard
from pursuhint.runs.report_view import report_view

EVERY = 1
"""Seconds between two looks at an examination."""


_component = register(
    "student_card",
    html=["runs/student_card.html"],
    css=["runs/student_card.css"],
    js=[ELEMENTS, "runs/student_card.js"],
)


def draw(run: RunFolder) -> None:
    """Draw the card of a run's student, or what has to happen first."""
    fragments.follow(_draw, _is_awaited, run, every=EVERY)


def _is_awaited(run: RunFolder) -> bool:
    examination = Examination(run)
    examined = not examination.is_done and examination.is_live()
    return examined or cached.runs().summary(run)["state"] in LIVE


def _draw(run: RunFolder) -> None:
    examination = Examination(run)
    if not run.student.is_file():
        return
    if examination.is_done:
        _card(cached.report_card(str(examination.path), cached.stamp(examination.path / FIGURES)), run.id)
        return
    last = examination.last_state()
    with st.container(border=True):
        st.markdown("**The student's card**")
        if last["state"] in LIVE:
            asked = "The student and its teacher are" if run.run_settings.plan else "The network is"
            st.caption(f"{asked} asked about the test images …")
            return
        if last["state"] == "failed":
            failures.show(last["reason"])
        st.caption(
            "Accuracy class by class, confusions, and the images on which it and its teacher disagree."
        )
        if not _is_awaited(run):
            launch = failures.kept(lambda: examination.launch() and None)
            st.button("Examine the student", on_click=launch, key="run-examine", icon=":material/fact_check:")


def _card(card: ReportCard, run: str) -> None:
    content = report_view(card) | {"said": said(card)}
    addresses = [pictures.address(pixels) for pixels in card.thumbnails]
    for image, address in zip(content["disagreements"], addresses, strict=True):
        image["address"] = address
    _component(key=f"student-card-{run}", data=content)


def said(card: ReportCard) -> list[dict[str, str]]:
    """Return the figures above the drawing, each with a line that explains it."""
    figures = card.figures()

    def figure(label: str, entry: dict[str, Any], change: bool = False) -> dict[str, str]:
        low, high = (points(end) if change else percent(end) for end in entry["interval"])
        value = points(entry["accuracy"]) if change else percent(entry["accuracy"])
        return {"label": label, "value": value, "note": f"95 %: {low} to {high}"}

    found = [figure("student", figures["student"])]
    if card.teacher:
        only = figures["mcnemar"]
        found += [
            figure("teacher", figures["teacher"]),
            figure("change, in points", figures["change"], change=True),
            {
                "label": "answered differently",
                "value": f"{figures['disagree']:,} of {figures['n']:,}",
                "note": f"only the student right {only['student']:,}, only the teacher {only['teacher']:,}; "
                f"McNemar p {_p(only['p'])}",
            },
        ]
    untrained = {"label": "before training", "value": percent(figures["untrained_accuracy"])}
    return [*found, untrained | {"note": f"the same {figures['n']:,} {figures['split']} images"}]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"

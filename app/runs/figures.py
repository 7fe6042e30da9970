"""The row of figures of a run: how well, how small, how quick, how long."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.chrome import count, metric, percent
from app.runs.levels import Levels
from pursuhint.jobs import LIVE
from pursuhint.runs import History
from pursuhint.runs.pace import in_words, pace


def draw(summary: dict[str, Any], history: History, levels: Levels) -> None:
    """Draw the figures of a run."""
    going = summary["state"] in LIVE
    now = pace(history, epochs=summary["epochs"], batch_size=summary["settings"]["batch_size"])
    with st.grid(4, min_column_width=150):
        _accuracy(summary, levels)
        _size(summary, history)
        speed = now.images_per_second if going and now else summary["metrics"].get("images_per_second")
        told = "training images a second" if going else "in the last epoch"
        metric("speed", f"{speed:,.0f} img/s" if speed else "–", told)
        place = f"{summary['epoch']} of {summary['epochs']}"
        if going and now:
            metric("time left", in_words(now.seconds_left), f"epoch {place}")
        else:
            metric("epoch", place, _length(history, going))


def _accuracy(summary: dict[str, Any], levels: Levels) -> None:
    figures = summary["metrics"]
    if "test_accuracy" not in figures:
        share = figures.get("validation_accuracy")
        beside = levels.beside(share, "validation") or "after the latest epoch"
        return metric("validation accuracy", percent(share), beside)
    best = "best TEST epoch" if summary["selection"] == "test" else "best epoch"
    note = f"of {figures['n_test']:,} images, {best} {figures['best_epoch']}"
    if "test_accuracy_last" in figures:
        note += f"; {percent(figures['test_accuracy_last'])} after the last"
    beside = levels.beside(figures["test_accuracy"], "test")
    metric("test accuracy", percent(figures["test_accuracy"]), f"{beside}, {note}" if beside else note)


def _size(summary: dict[str, Any], history: History) -> None:
    size, ratio = summary["parameters"], summary["compression"]
    before = history.facts.get("start", {}).get("teacher_parameters")
    alone = f"{count(size)} parameters, no teacher" if size else "against its teacher"
    smaller = f"{count(size)} of {count(before)} parameters" if before else alone
    metric("compression", f"{ratio:.2f} ×" if ratio else "–", smaller)


def _length(history: History, going: bool) -> str:
    if not history.steps:
        return "no step yet" if going else "no step was made"
    return f"loss {history.steps[-1]['total']:.3f}"

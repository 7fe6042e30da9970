"""Parts of the Runs page: one run as it goes, what can be done with it, the table of all runs."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import cached, current, curves, downloads, failures, state
from app.chrome import card, count, dark, header, metric, percent, several, short
from pursuhint import figures as charts
from pursuhint.jobs import LIVE
from pursuhint.jobs.stopping import stop_soon
from pursuhint.origin import origin
from pursuhint.runs import History, RunFolder, find_run

COLOURS = {
    "queued": "gray",
    "running": "violet",
    "stopping": "orange",
    "stopped": "orange",
    "finished": "green",
    "failed": "red",
    "lost": "red",
}
EVERY = 1
"""Seconds between two looks at a live run."""
LOG_TAIL = 6000
TABLE = "runs-table"


def choose(runs: list[RunFolder]) -> RunFolder:
    """Return the run that the address names, else the newest; the address then names it."""
    chosen = runs[0]
    with failures.shown():
        chosen = find_run(st.query_params.get("run") or chosen.id)
    st.query_params["run"] = chosen.id
    state.get().renew_ticket()
    return chosen


def one(run: RunFolder) -> None:
    """Draw a run; it is drawn anew every second while it is live."""
    with failures.shown():
        live = cached.summary(run)["state"] in LIVE
        st.fragment(_one, run_every=EVERY if live else None)(run, live)


def _one(run: RunFolder, was_live: bool) -> None:
    with failures.shown():
        history = state.get().history(run)
        summary = run.summary(history)
        if (summary["state"] in LIVE) != was_live:
            st.rerun()
        _head(run, summary)
        _figures(summary, history)
        _curves(run, history, live=was_live)
        for text in history.warnings:
            st.warning(text, icon=":material/warning:")


def _head(run: RunFolder, summary: dict[str, Any]) -> None:
    settings, now = run.run_settings, summary["state"]
    path = [short(settings.plan.teacher.spec)] if settings.plan else []
    facts = [
        " → ".join([*path, short(settings.student)]),
        settings.data.partition(":")[0],
        f"seed {settings.seed}",
    ]
    with header(summary["name"], f":{COLOURS[now]}-badge[{now}] {' · '.join(facts)}"):
        if now in LIVE:
            off = now == "stopping"
            st.button(
                "Stop", on_click=stop_soon, args=(run,), disabled=off, key="run-stop", icon=":material/stop:"
            )
        elif now != "finished":
            resume = failures.kept(run.launch)
            st.button("Resume", on_click=resume, key="run-resume", icon=":material/play_arrow:")
        if now not in LIVE and st.button("Delete", key="run-delete", icon=":material/delete:"):
            confirm_delete(run, summary["name"])
        if run.student.is_file():
            downloads.student(run)
    if settings.plan and settings.hint_loss != "none":
        points = ", ".join(settings.plan.hint_points)
        st.caption(f"Hint points {points}: {origin(settings.plan)}")
    if now in ("failed", "lost"):
        failures.show(f"{now}: {summary['reason']}")


def _figures(summary: dict[str, Any], history: History) -> None:
    figures, size = summary["metrics"], summary["parameters"]
    before, ratio = history.facts.get("start", {}).get("teacher_parameters"), summary["compression"]
    speed = figures.get("images_per_second")
    with st.grid(4, min_column_width=140):
        if "test_accuracy" in figures:
            best = "best TEST epoch" if summary["selection"] == "test" else "best epoch"
            note = f"of {figures['n_test']:,} images, {best} {figures['best_epoch']}"
            if "test_accuracy_last" in figures:
                note += f"; {percent(figures['test_accuracy_last'])} after the last"
            metric("test accuracy", percent(figures["test_accuracy"]), note)
        else:
            metric(
                "validation accuracy", percent(figures.get("validation_accuracy")), "after the latest epoch"
            )
        smaller = f"{count(size)} of {count(before)} parameters" if before else "against its teacher"
        metric("compression", f"{ratio:.2f} ×" if ratio else "–", smaller)
        metric("speed", f"{speed:,.0f} img/s" if speed else "–", "training images a second")
        done = f"loss {figures['loss']:.3f}" if "loss" in figures else "no step yet"
        metric("epoch", f"{summary['epoch']} of {summary['epochs']}", done)


def _curves(run: RunFolder, history: History, *, live: bool) -> None:
    settings = run.run_settings
    teacher = current.teacher_accuracy(settings.plan.teacher.hash) if settings.plan else None
    accent = st.get_option(f"theme.{st.context.theme.type or 'light'}.primaryColor")
    left, right = st.columns([3, 2])
    with left, card("Accuracy", "on the validation part", fill=True):
        if history.epochs:
            spec = curves.accuracies(history, settings.epochs, teacher, accent)
            key, rows = f"accuracy-{run.id}", accuracy_rows(history)
            curves.draw(spec, key, "Validation accuracy over epochs", live=live)
            if not live:
                figure = charts.curves(rows, dark=dark())
                files = {"figure": figure, "picture": key, "table": pd.DataFrame(rows)}
                downloads.offer("accuracy", key, **files)
        else:
            curves.draw_nothing("waiting for the first epoch" if live else "no epoch was finished")
    settled = history.facts.get("weights", {}).get("weights", {})
    aside = curves.weights(settled, settings.weight_schedule.model_dump())
    with right, card("Loss, by term", aside or "weighted, as they add up", fill=True):
        if history.steps:
            key, rows = f"loss-{run.id}", loss_rows(history)
            curves.draw(curves.losses(history, settings.epochs), key, "Losses over epochs", live=live)
            if not live:
                shown = [{name: value for name, value in row.items() if name != "step"} for row in rows]
                figure = charts.curves(shown, dark=dark())
                downloads.offer("loss", key, figure=figure, picture=key, table=pd.DataFrame(rows))
        else:
            curves.draw_nothing("waiting for the first step" if live else "no step was made")


def accuracy_rows(history: History) -> list[dict[str, float]]:
    """Return the accuracy after each epoch."""
    names = ("epoch", "validation_accuracy", "validation_cross_entropy")
    return [{name: epoch[name] for name in names} for epoch in history.epochs]


def loss_rows(history: History) -> list[dict[str, float]]:
    """Return the losses of the steps that were recorded."""
    return [
        {"epoch": step["epoch"], "step": step["step"], "total": step["total"], **step["weighted"]}
        for step in history.steps
    ]


@st.dialog("Delete this run?")
def confirm_delete(run: RunFolder, name: str) -> None:
    """Ask before a run is removed for good."""
    st.markdown(f"**{name}** with its curves, checkpoints and student will be removed from the disk.")
    with st.container(horizontal=True, horizontal_alignment="right"), failures.shown():
        if st.button("Keep it"):
            st.rerun()
        if st.button("Delete for good", type="primary", key="run-delete-sure"):
            remove(state.get(), run)
            st.query_params.pop("run", None)
            st.rerun()


def remove(mine: state.AppState, run: RunFolder) -> None:
    """Delete a run and what was read of it."""
    run.delete()
    mine.histories.pop(run.id, None)


def table(chosen: RunFolder) -> None:
    """Draw all runs, anew every second while one is live; a click on one shows it."""
    live = any(summary["state"] in LIVE for summary in cached.summaries()[0])
    st.fragment(_table, run_every=EVERY if live else None)(chosen.id)


def _table(chosen: str) -> None:
    summaries, problems = cached.summaries()
    rows = pd.DataFrame(
        {
            "run": [one["name"] for one in summaries],
            "state": [[one["state"]] for one in summaries],
            "epoch": [f"{one['epoch']} / {one['epochs']}" for one in summaries],
            "accuracy": [_accuracy(one) for one in summaries],
            "compression": [one["compression"] for one in summaries],
            "id": [one["id"] for one in summaries],
        }
    )
    columns = {
        "state": st.column_config.MultiselectColumn(options=list(COLOURS), color=list(COLOURS.values())),
        "accuracy": st.column_config.NumberColumn(
            format="%.2f %%", help="On test once finished, else on validation."
        ),
        "compression": st.column_config.NumberColumn(format="%.2f ×"),
    }
    with card("Runs", f"{several(len(summaries), 'run')}, newest first; tick one to see it"):
        options = {"placeholder": "–", "on_select": "rerun", "selection_mode": "single-row", "key": TABLE}
        ticked = st.dataframe(rows, hide_index=True, column_config=columns, **options)["selection"]["rows"]
        for problem in problems:
            failures.show(problem)
        downloads.offer("runs", "runs", table=rows)
    if ticked and ticked[0] < len(summaries) and summaries[ticked[0]]["id"] != chosen:
        st.query_params["run"] = summaries[ticked[0]]["id"]
        st.rerun()


def _accuracy(summary: dict[str, Any]) -> float | None:
    figures = summary["metrics"]
    share = figures.get("test_accuracy", figures.get("validation_accuracy"))
    return None if share is None else 100 * share


def log(run: RunFolder) -> None:
    """Draw the end of what the worker printed, and where everything of the run is."""
    with st.expander("Log", icon=":material/description:"):
        if run.log.is_file():
            tail = run.log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL:]
            st.code(tail or "nothing was printed", language=None)
        st.caption(f"Kept in {run.path}")

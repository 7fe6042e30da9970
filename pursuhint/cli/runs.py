"""Commands about runs: list, show, follow, stop, resume, retry, label, examine, mirror, delete, gc."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from pursuhint.cli import options as o
from pursuhint.cli.class_table import class_rows
from pursuhint.cli.output import err, out, percent, print_json, several, table
from pursuhint.cli.together import by_first
from pursuhint.errors import InputError
from pursuhint.files import in_bytes
from pursuhint.jobs import LIVE, stopping
from pursuhint.origin import origin
from pursuhint.ranks import check_alone, is_first_process
from pursuhint.runs import History, RunFolder, find_run, list_runs
from pursuhint.runs.leftovers import leftovers, remove_leftovers

app = typer.Typer(no_args_is_help=True, help="List, watch, stop, resume, retry and delete runs.")
RunId = Annotated[str, typer.Argument(help="A run's id, or its beginning or end.")]


@app.command("list")
def list_all(as_json: o.AsJson = False) -> None:
    """List all runs, newest first."""
    found: list[dict[str, Any]] = []
    for run in list_runs():
        try:
            found.append(run.summary())
        except InputError as error:
            err.print(f"left out: {error}", style="yellow", highlight=False)
    if as_json:
        print_json(found)
        return
    if not found:
        out.print("no runs yet; start one with `pursuhint distill` or in the app")
        return
    rows = [
        (
            one["id"],
            one["name"],
            one["state"],
            f"{one['epoch']}/{one['epochs']}",
            percent(one["metrics"].get("test_accuracy", one["metrics"].get("validation_accuracy"))),
        )
        for one in found
    ]
    table(several(len(rows), "run"), ("id", "name", "state", "epoch", "accuracy"), rows)


@app.command()
def show(run: RunId, as_json: o.AsJson = False) -> None:
    """Show a run's state, epoch and latest figures."""
    _answer(find_run(run), as_json)


@app.command()
def follow(run: RunId) -> None:
    """Print a run's epochs as they come, until it ends."""
    folder = find_run(run)
    history, shown = History(), 0
    while True:
        folder.history(history)
        for epoch in history.epochs[shown:]:
            loss = history.steps[-1]["total"] if history.steps else float("nan")
            out.print(
                f"epoch {epoch['epoch']:>4}  loss {loss:.4f}  validation "
                f"{percent(epoch['validation_accuracy'])}",
                highlight=False,
            )
        shown = len(history.epochs)
        if folder.last_state(history.states)["state"] not in LIVE:
            break
        time.sleep(0.5)
    _print_summary(folder)


@app.command()
def stop(run: RunId, as_json: o.AsJson = False) -> None:
    """Stop a run; it writes a checkpoint first."""
    folder = find_run(run)
    if not folder.is_live():
        raise InputError(
            f"run `{folder.id}` is {folder.last_state()['state']}; only a live run can be stopped"
        )
    state = stopping.stop(folder)
    if state["state"] in LIVE:
        err.print(f"it was asked to stop; process {state['pid']}, which does more than this run, goes on")
    _answer(folder, as_json)


@app.command()
def resume(run: RunId, detach: o.Detach = False, now: o.Now = False, as_json: o.AsJson = False) -> None:
    """Go on with a stopped, failed or lost run from its newest checkpoint."""
    folder = find_run(run)

    def prepare() -> None:
        _refuse_unless(folder, ("stopped", "failed", "lost"), "resumed")

    _go_on(folder, prepare, detach=detach, now=now, as_json=as_json)


@app.command()
def retry(
    run: RunId,
    anew: Annotated[bool, typer.Option("--anew", help="Begin with the first step again.")] = False,
    detach: o.Detach = False,
    now: o.Now = False,
    as_json: o.AsJson = False,
) -> None:
    """Try a failed or lost run again, from its newest checkpoint or anew."""
    folder = find_run(run)

    def prepare() -> None:
        _refuse_unless(folder, ("failed", "lost"), "tried again")
        if anew:
            folder.begin_anew()

    _go_on(folder, prepare, detach=detach, now=now, as_json=as_json)


@app.command()
def finish(run: RunId, detach: o.Detach = False, now: o.Now = False, as_json: o.AsJson = False) -> None:
    """End a stopped, failed or lost run where it stands: measure and export its best student so far."""
    folder = find_run(run)

    def prepare() -> None:
        _refuse_unless(folder, ("stopped", "failed", "lost"), "finished")
        folder.check_finishable()

    _go_on(folder, prepare, detach=detach, now=now, as_json=as_json, finish=True)


@app.command()
def mirror(run: RunId, as_json: o.AsJson = False) -> None:
    """Complete a run's mirrors (TensorBoard, MLflow) from its journal."""
    from pursuhint.runs.mirrors import complete

    folder = find_run(run)
    _refuse_unless(folder, ("stopped", "failed", "lost", "finished"), "mirrored; a live one mirrors itself")
    names = complete(folder)
    if as_json:
        print_json({"id": folder.id, "mirrors": names})
    else:
        out.print(f"{folder.id}: {', '.join(names)} complete", highlight=False)


@app.command("gc")
def collect(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: o.AsJson = False,
) -> None:
    """Remove what runs left behind: parts of files, and the checkpoints of finished runs."""
    found = leftovers(list_runs())
    freed = sum(one.bytes for one in found) if dry_run else remove_leftovers(found)
    if as_json:
        print_json({"removed": [asdict(one) | {"path": str(one.path)} for one in found], "bytes": freed})
        return
    if dry_run and found:
        rows = [(one.run, one.path.name, in_bytes(one.bytes), one.why) for one in found]
        table("would be removed", ("run", "file", "size", "why"), rows)
    done = "to be freed" if dry_run else "freed"
    out.print(f"{several(len(found), 'file')}, {in_bytes(freed)} {done}", highlight=False)


@app.command()
def label(
    run: RunId,
    name: Annotated[str | None, typer.Option(help="What it is called; empty for its first name.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; all given ones replace the former.")] = None,
    as_json: o.AsJson = False,
) -> None:
    """Call a run something else, or tag it; its settings stay as they are."""
    folder = find_run(run)
    folder.label(name=name, tags=tag)
    _answer(folder, as_json)


@app.command()
def examine(run: RunId, as_json: o.AsJson = False) -> None:
    """Compare a finished student with its teacher on the test images, class by class."""
    from pursuhint.runs.examine import Examination
    from pursuhint.runs.examine import examine as examine_student

    folder = find_run(run)
    kept = Examination(folder)
    card = kept.card() if kept.is_done else examine_student(folder)
    figures = card.figures()
    if as_json:
        print_json(figures)
        return
    rows = class_rows(figures)
    table(folder.summary()["name"], ("class", "images", "student", "teacher", "change", "95 %"), rows)


@app.command()
def delete(run: RunId, as_json: o.AsJson = False) -> None:
    """Delete a run with its checkpoints and its student."""
    folder = find_run(run)
    folder.delete()
    if as_json:
        print_json({"id": folder.id, "deleted": True})
    else:
        out.print(f"{folder.id} deleted", highlight=False)


def _refuse_unless(run: RunFolder, states: tuple[str, ...], done: str) -> None:
    state = run.last_state()["state"]
    if state not in states:
        allowed = f"{', '.join(states[:-1])} or {states[-1]}"
        raise InputError(f"run `{run.id}` is {state}; only a {allowed} run can be {done}")


def _go_on(
    run: RunFolder,
    prepare: Callable[[], None],
    *,
    detach: bool,
    now: bool,
    as_json: bool,
    finish: bool = False,
) -> None:
    """Go on with a run, once the first process has found that it can and has prepared it."""
    if detach:
        check_alone("detached", "--detach")
    by_first(run.run_settings, prepare)
    if detach:
        run.launch(now=now, finish=finish)
    else:
        from pursuhint.cli.events import work_here

        work_here(run, now=now, as_json=as_json, finish=finish)
    if is_first_process():
        _answer(run, as_json)


def _answer(run: RunFolder, as_json: bool) -> None:
    if as_json:
        print_json(run.summary())
    else:
        _print_summary(run)


def _print_summary(run: RunFolder) -> None:
    summary, settings = run.summary(), run.run_settings
    out.print(
        f"[bold]{summary['name']}[/]  {summary['state']}  epoch {summary['epoch']}/{summary['epochs']}",
        highlight=False,
    )
    if settings.plan and settings.hint_loss != "none":
        points = ", ".join(settings.plan.hint_points)
        out.print(f"  hint points {points}: {origin(settings.plan)}", highlight=False)
    for name, value in summary["metrics"].items():
        shown = percent(value) if name.endswith("accuracy") or "accuracy_" in name else f"{value:.6g}"
        out.print(f"  {name:<26}{shown}", highlight=False)
    if summary["selection"] == "test" and "test_accuracy" in summary["metrics"]:
        out.print("  of the best TEST epoch: the test images chose it, so the figure is optimistic")
    if summary["reason"]:
        (err if summary["state"] in ("failed", "lost") else out).print(
            f"  {summary['reason']}", highlight=False
        )

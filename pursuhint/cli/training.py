"""Commands that train: train, distill, export, demo."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from pursuhint.catalogue import HINT_FACTS, LOGIT_FACTS
from pursuhint.cli import options as o
from pursuhint.cli.dry_run import tell_dry_run
from pursuhint.cli.events import work_here
from pursuhint.cli.output import compared, out, percent, print_json, progress_bars, table
from pursuhint.cli.students import tell_automatic
from pursuhint.cli.together import by_first
from pursuhint.errors import InputError, unknown
from pursuhint.files import copy_file, write_json
from pursuhint.jobs import LIVE
from pursuhint.plan import HintPlan
from pursuhint.published import DEFAULT
from pursuhint.ranks import check_alone, is_first_process
from pursuhint.runs import RunFolder, create_run, find_run
from pursuhint.students import parse_target
from pursuhint.students.automatic import automatic_student
from pursuhint.training.command import train_options
from pursuhint.training.settings import RunSettings, make_settings
from pursuhint.training.weight_presets import weight_preset


@o.takes(recipe=o.training_options)
def train(
    recipe: dict[str, Any],
    model: Annotated[str, typer.Option(help="The network, such as zoo:resnet56.")],
    data: o.Data = "digits",
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            "--init",
            help="Begin with this checkpoint instead of random weights, or with `default`, those published "
            "for a torchvision or timm network. For other classes it gets a new head.",
        ),
    ] = None,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Train only the head: a linear probe of the weights.")
    ] = False,
    trunk_rate: Annotated[
        float | None,
        typer.Option(help="Let all but the head learn at this share of the learning rate, such as 0.1."),
    ] = None,
    preprocess: Annotated[
        str,
        typer.Option(help="That of the weights, else the data's own, with auto; else as for teachers."),
    ] = "auto",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Also write the network and its card here.")
    ] = None,
    dry_run: o.DryRun = False,
    detach: o.Detach = False,
    now: o.Now = False,
    as_json: o.AsJson = False,
) -> None:
    """Train a network on labels alone: a teacher, or a student without one."""
    if freeze and trunk_rate:
        raise InputError(f"`--freeze` holds the trunk still; found `--trunk-rate {trunk_rate:g}` beside it")
    settings = make_settings(
        kind="train",
        student=model,
        data=data,
        preprocess=preprocess,
        init=str(Path(weights).expanduser().resolve()) if weights not in (None, DEFAULT) else weights,
        **({"trunk_rate": 0.0} if freeze else o.given(trunk_rate=trunk_rate)),
        **recipe,
    )
    if out_file and detach:
        raise InputError(
            "`--out` is written where the training is waited for; without `--detach`, or later by "
            "`pursuhint export RUN --out FILE`"
        )
    if preprocess == "auto":
        settings = _with_preprocess(settings, as_json=as_json)
    if dry_run:
        return tell_dry_run(settings, as_json=as_json)
    run = _run(settings, detach=detach, now=now, as_json=as_json)
    if out_file:
        by_first(settings, lambda: _write_teacher(run, out_file))


@o.takes(recipe=o.training_options, weighing=o.weight_options)
def distill(
    recipe: dict[str, Any],
    weighing: dict[str, Any],
    plan: Annotated[Path, typer.Option(help="The hint plan, from `pursuhint hints --out` or the app.")],
    student: Annotated[
        str,
        typer.Option(help="The network to train, such as zoo:resnet20; or auto, auto:2.5, auto:flops:4."),
    ],
    hint_loss: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(HINT_FACTS)} or none (KD only); the preset's or at if left out."),
    ] = None,
    logit_loss: Annotated[
        str | None,
        typer.Option(help=f"{', '.join(LOGIT_FACTS)} or none; the preset's or kd if left out."),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="T of the logit loss; 4 if left out, 2 for kd-std.")
    ] = None,
    schedule_logit: Annotated[
        str | None, typer.Option(help="alpha over the run: constant, decay or warmup:EPOCHS.")
    ] = None,
    schedule_hint: Annotated[
        str | None, typer.Option(help="beta over the run: constant, decay (to 0) or warmup:EPOCHS.")
    ] = None,
    pair: Annotated[
        list[str] | None,
        typer.Option(help="HINT=GUIDED in place of that hint point's default pair (repeatable)."),
    ] = None,
    allow_crossing: Annotated[
        bool, typer.Option("--allow-crossing", help="Let pairs cross: an earlier hint point, a later layer.")
    ] = False,
    keep_targets: Annotated[
        int | None,
        typer.Option(help="Show each image in this many views and ask the teacher about each of them once."),
    ] = None,
    targets_limit: Annotated[float, typer.Option(help="Gigabytes that kept targets may take.")] = 10.0,
    data: Annotated[str | None, typer.Option(help="The plan's data when left out.")] = None,
    weights: Annotated[Path | None, typer.Option(help="The teacher's checkpoint, if it moved.")] = None,
    init: Annotated[
        Path | None, typer.Option(help="Start from this checkpoint instead of random weights.")
    ] = None,
    allow_weak_teacher: o.AllowWeak = False,
    dry_run: o.DryRun = False,
    detach: o.Detach = False,
    now: o.Now = False,
    as_json: o.AsJson = False,
) -> None:
    """Distil a student from a hint plan."""
    chosen = HintPlan.load(plan)
    preset = weight_preset(weighing["preset"]) if "preset" in weighing else None
    if target := parse_target(student):
        with progress_bars(quiet=as_json) as progress:
            teacher, found = automatic_student(target, chosen, data=data, progress=progress)
        student = found.spec
        if not as_json and is_first_process():
            tell_automatic(target, teacher, found)
    settings = make_settings(
        kind="distill",
        student=student,
        wanted=target,
        data=data or chosen.data,
        preprocess=chosen.teacher.preprocess,
        plan=chosen,
        pairs=tuple(_pair(text) for text in pair or ()),
        allow_crossing=allow_crossing,
        allow_weak_teacher=allow_weak_teacher,
        teacher_weights=str(weights.expanduser().resolve()) if weights else None,
        init=str(init.expanduser().resolve()) if init else None,
        hint_loss=hint_loss or (preset.hint_loss if preset else "at"),
        logit_loss=logit_loss or (preset.logit_loss if preset else "kd"),
        weights=weighing,
        weight_schedule=o.given(logit=schedule_logit, hint=schedule_hint),
        **o.given(temperature=temperature),
        keep_targets=keep_targets,
        targets_limit=targets_limit,
        **recipe,
    )
    if dry_run:
        return tell_dry_run(settings, as_json=as_json)
    _run(settings, detach=detach, now=now, as_json=as_json)


def export(
    run: Annotated[str, typer.Argument(help="A run's id, or its beginning or end.")],
    file_format: Annotated[str, typer.Option("--format", help="safetensors.")] = "safetensors",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="The file to write; RUN.safetensors here if left out.")
    ] = None,
    as_json: o.AsJson = False,
) -> None:
    """Copy a finished run's best student to a file."""
    from pursuhint.export import read_card

    if file_format != "safetensors":
        raise unknown("format", file_format, ["safetensors"])
    folder = find_run(run)
    if not folder.student.is_file():
        state = folder.last_state()["state"]
        advice = "wait until it has finished" if state in LIVE else "resume it, or end it by `runs finish`"
        raise InputError(f"run `{folder.id}` is {state} and has no student yet; {advice}")
    target = out_file or Path(f"{folder.id}.safetensors")
    copy_file(folder.student, target)
    card = read_card(target)
    if as_json:
        print_json({"path": str(target), "card": card})
    else:
        out.print(f"{card['model']}, {percent(card['test_accuracy'])} on test -> {target}", highlight=False)


def demo(
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Folder for the table as JSON and the students.")
    ] = None,
    threads: o.Threads = None,
    as_json: o.AsJson = False,
) -> None:
    """Do the whole job on the embedded digits: analyse, choose hint points, distil, compare."""
    from pursuhint.demo import describe, run_demo

    with progress_bars(quiet=as_json) as progress:
        report = run_demo(out_dir, threads=threads, progress=progress)
    if as_json:
        print_json(report)
        return
    teacher = report["teacher"]
    out.print(
        f"[bold]Teacher[/] {teacher['spec']}: {teacher['parameters']:,} parameters, "
        f"{percent(teacher['accuracy'])} of {teacher['n']} test images",
        highlight=False,
    )
    for cluster, centre in zip(report["clusters"], report["hint_points"], strict=True):
        out.print(
            f"  hint point [bold]{centre}[/] stands for {len(cluster)} layers, {cluster[0]} to {cluster[-1]}"
        )
    for title, columns, rows in describe(report):
        out.print()
        table(title, columns, rows)
    out.print(
        f"\nEach student is the best epoch on the validation images, measured once on the test images.\n"
        f"{report['seconds']:.0f} s; report.json, plan.json and the students are in {report['path']}",
        style="dim",
        highlight=False,
    )


def _run(settings: RunSettings, *, detach: bool, now: bool, as_json: bool) -> RunFolder:
    """Start a run: here with a bar, or detached; when its device is free, or now."""
    from pursuhint.training.check import check_settings

    check_settings(settings)
    if detach:
        check_alone("detached", "--detach")
    run = RunFolder(by_first(settings, lambda: create_run(settings).path))
    if detach:
        pid = run.launch(now=now)
        if as_json:
            print_json({"id": run.id, "path": str(run.path), "pid": pid})
        else:
            out.print(f"{run.id} started; watch it with `pursuhint runs follow {run.id}`", highlight=False)
        return run
    try:
        work_here(run, now=now, as_json=as_json)
    except InputError:
        if is_first_process() and "start" not in run.history().facts:
            run.delete()  # it was refused before it began: there is nothing to resume
        raise
    if not is_first_process():
        return run
    summary = run.summary()
    if as_json:
        print_json(summary)
        return run
    metrics: dict[str, Any] = summary["metrics"]
    best = "best TEST epoch" if summary["selection"] == "test" else "best epoch"
    ratio = f", {compared(summary['compression'])} than its teacher" if summary["compression"] else ""
    out.print(
        f"[bold]{summary['name']}[/]: {percent(metrics['test_accuracy'])} of {metrics['n_test']:,} test "
        "images "
        f"({best} {metrics['best_epoch']}; {percent(metrics['test_accuracy_last'])} after the last), "
        f"{summary['parameters']:,} parameters{ratio}\n{run.id}",
        highlight=False,
    )
    return run


def _pair(text: str) -> dict[str, str]:
    hint, sign, guided = text.partition("=")
    if not (sign and hint and guided):
        raise InputError(f"a pair is written HINT=GUIDED, as in layer2.4=layer2.1; found `{text}`")
    return {"hint": hint, "guided": guided}


def _with_preprocess(settings: RunSettings, *, as_json: bool) -> RunSettings:
    from pursuhint.data import load_data
    from pursuhint.training.beginning import with_fitting_preprocess
    from pursuhint.training.check import check_settings

    check_settings(settings)
    with progress_bars(quiet=as_json) as progress:
        return with_fitting_preprocess(settings, load_data(settings.data, progress=progress))


def _write_teacher(run: RunFolder, path: Path) -> None:
    """Write a trained network with its card in the form that a ``builtin:`` teacher has."""
    from pursuhint.export import read_card

    copy_file(run.student, path)
    started = run.history().facts["start"]
    options = train_options(run.run_settings, threads=started["threads"])
    command = " ".join(["pursuhint train", *options, f"--out {shlex.quote(str(path))}"])
    card = read_card(path) | {
        "command": command,
        "versions": started["versions"] | {"python": started["python"]},
        "augmentation": started["augmentation"],
    }
    write_json(path.with_suffix(".json"), card)

"""The command that proposes students, and how proposals are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from pursuhint.cli import options as o
from pursuhint.cli.output import err, print_json, progress_bars, table
from pursuhint.students import (
    Proposal,
    StudentCard,
    Target,
    describe_student,
    measure_latency,
    propose_students,
)
from pursuhint.students.target import DEFAULT_COMPRESSION

COLUMNS = ("", "network", "parameters", "compression", "MFLOPs", "FLOPs ratio", "layers", "ms an image")


def students(
    teacher: o.Teacher = o.BUILTIN,
    weights: o.WeightsFile = None,
    data: o.Data = "digits",
    preprocess: o.Preprocess = "auto",
    compression: Annotated[
        float, typer.Option(help="How many times smaller than the teacher.")
    ] = DEFAULT_COMPRESSION,
    by: Annotated[str, typer.Option(help="What is to be smaller: parameters or flops.")] = "parameters",
    count: Annotated[int, typer.Option(help="Most proposals.")] = 3,
    batch_size: Annotated[int, typer.Option(help="Images in a forward pass that is timed.")] = 1,
    threads: Annotated[int, typer.Option(help="CPU threads of a forward pass that is timed.")] = 1,
    no_latency: Annotated[bool, typer.Option("--no-latency", help="Do not time the networks.")] = False,
    as_json: o.AsJson = False,
) -> None:
    """Propose students of a teacher's family that come nearest to a compression."""
    from pursuhint.data import load_data
    from pursuhint.models import build_model, new_network
    from pursuhint.preprocess import parse_preprocess

    target = Target(compression, by)
    with progress_bars(quiet=as_json) as progress:
        images = load_data(data, progress=progress)
    classes, own = len(images.classes), None
    if weights is not None:
        built = build_model(teacher, classes=classes, weights=weights)
        teacher, own = built.spec, built.preprocess
    recipe = parse_preprocess(preprocess if preprocess != "auto" else images.preprocess)
    shape = (own if own and preprocess == "auto" else recipe).shape_of(images.train.images(slice(0, 1)))
    described = describe_student(teacher, classes, shape)
    proposals = propose_students(
        described.spec, classes, shape, compression=compression, by=target.by, count=count
    )
    rows = [Proposal.of(described, described), *proposals]
    if not no_latency:
        networks = [new_network(one.spec, classes=classes)[1] for one in rows]
        measured = measure_latency(networks, shape, batch_size=batch_size, threads=threads)
        rows = [replace(one, latency=seconds) for one, seconds in zip(rows, measured, strict=True)]
    if as_json:
        head, *others = (one.as_dict() for one in rows)
        wanted = {"compression": compression, "by": by}
        print_json({"target": wanted, "input_shape": list(shape), "teacher": head, "students": others})
        return
    beside_teacher(f"Nearest to {compression:g} times fewer {target.words}", rows)
    if remark := proposals[0].remark:
        err.print(remark, style="yellow", highlight=False)


def tell_automatic(target: Target, teacher: StudentCard, student: Proposal) -> None:
    """Print the student that was found, below its teacher."""
    title = f"Student {student.spec}: nearest to {target.compression:g} times fewer {target.words}"
    beside_teacher(title, [Proposal.of(teacher, teacher), student])


def beside_teacher(title: str, rows: Sequence[Proposal]) -> None:
    """Print networks with their figures; the first is the teacher."""
    timed = rows[0].latency is not None
    cells = [
        (
            "student" if index else "teacher",
            one.spec,
            one.parameters,
            f"{one.compression:.2f}",
            f"{one.flops / 1e6:,.1f}",
            f"{one.flops_ratio:.2f}",
            one.layers,
            *([f"{1e3 * one.latency:.2f}"] if timed else []),
        )
        for index, one in enumerate(rows)
    ]
    table(title, COLUMNS if timed else COLUMNS[:-1], cells)

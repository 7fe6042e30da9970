"""Commands about a teacher: layers, evaluate, analyse, similarity, hints."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from pursuhint.analysis import AnalysisFolder, AnalysisSettings
from pursuhint.analysis.folder import FLATTEN
from pursuhint.cli import options as o
from pursuhint.cli.output import err, out, percent, print_json, progress_bars, table
from pursuhint.clustering import METHODS, silhouette_curve, suggested_clusters
from pursuhint.coverage import coverage_report
from pursuhint.hints import DEFAULT_METHOD, DEFAULT_METRIC, choose_hints
from pursuhint.home import analyses_folder
from pursuhint.layers import stage_ends
from pursuhint.similarity import check_pooling, metrics_of


def layers(
    teacher: o.Teacher = o.BUILTIN,
    weights: o.WeightsFile = None,
    data: Annotated[
        str | None, typer.Option(help="Data whose images set the input size; 3 x 32 x 32 without.")
    ] = None,
    preprocess: o.Preprocess = "auto",
    depth: o.Depth = 0,
    include: o.Include = None,
    exclude: o.Exclude = None,
    as_json: o.AsJson = False,
) -> None:
    """List a network's candidate layers with type, shape and parameters."""
    from pursuhint.data import load_data
    from pursuhint.layers import candidate_layers
    from pursuhint.models import build_model
    from pursuhint.preprocess import parse_preprocess

    images = load_data(data) if data else None
    built = build_model(teacher, classes=len(images.classes) if images else None, weights=weights)
    recipe = parse_preprocess(preprocess) if preprocess != "auto" else built.preprocess
    shape = images.image_shape if images else (3, 32, 32)
    if recipe is not None and recipe.crop:
        shape = (3, recipe.crop, recipe.crop)
    elif images is None and built.spec.startswith(("torchvision:", "timm:")):
        shape = (3, 224, 224)
    found = candidate_layers(built.model, shape, depth=depth, include=include or (), exclude=exclude or ())
    if as_json:
        ends = stage_ends(found)
        print_json(
            {
                "teacher": built.spec,
                "parameters": built.parameters,
                "input_shape": list(shape),
                "layers": [layer.as_dict() | {"stage_end": layer.name in ends} for layer in found],
                "weights": str(built.report) if built.report else None,
            }
        )
        return
    rows = [
        (i, row.name, row.type, _shape(row.shape), row.parameters, row.stage + 1)
        for i, row in enumerate(found)
    ]
    columns = ("", "layer", "type", "shape", "parameters", "stage")
    table(f"{built.spec}: {len(found)} candidate layers, {built.parameters:,} parameters", columns, rows)
    if built.report:
        out.print(f"weights: {built.report}", style="dim", highlight=False)


def evaluate(
    teacher: o.Teacher = o.BUILTIN,
    weights: o.WeightsFile = None,
    data: o.Data = "digits",
    preprocess: o.Preprocess = "auto",
    split: Annotated[str, typer.Option(help="test, validation or train.")] = "test",
    device: o.Device = "auto",
    threads: o.Threads = None,
    as_json: o.AsJson = False,
) -> None:
    """Measure a network's accuracy on a data set."""
    from pursuhint.data import load_data
    from pursuhint.device import prepare_cpu
    from pursuhint.teacher import load_teacher, score

    prepare_cpu(threads)
    with progress_bars(quiet=as_json) as progress:
        images = load_data(data, progress=progress)
        part = images.split(split)
        loaded = load_teacher(teacher, weights=weights, data=images, preprocess=preprocess, device=device)
        result = score(loaded.model, part, loaded.preprocess, progress=progress)
    if as_json:
        print_json(
            {
                "teacher": loaded.spec,
                "accuracy": result.accuracy,
                "n": result.n,
                "parameters": loaded.parameters,
                "cross_entropy": result.cross_entropy,
                "split": split,
                "preprocess": loaded.preprocess.text,
                "note": loaded.note,
            }
        )
        return
    seen = "" if split == "test" else " (the teacher has usually seen these images)"
    out.print(
        f"{loaded.spec}: [bold]{percent(result.accuracy)}[/] of {result.n:,} {split} images{seen}, "
        f"{loaded.parameters:,} parameters",
        highlight=False,
    )
    out.print(loaded.note, style="dim", highlight=False)


@o.takes(settings=o.analysis_settings)
def analyse(
    settings: AnalysisSettings,
    out_dir: Annotated[Path, typer.Option("--out", help="The folder to write.")],
    maps: Annotated[
        bool, typer.Option(help="Also make the UMAPs of every layer and metric (seconds each).")
    ] = False,
    as_json: o.AsJson = False,
) -> None:
    """Analyse a teacher into a folder that the app and the other commands read."""
    folder = analysed(settings, out_dir, whole=True, quiet=as_json)
    if maps:
        _make_maps(folder, quiet=as_json)
    if as_json:
        print_json(
            {"path": str(folder.path), **folder.card.model_dump(mode="json"), "test": folder.test_score}
        )
        return
    card, test = folder.card, folder.test_score
    out.print(
        f"[bold]{card.teacher.spec}[/]: {percent(test['accuracy'])} of {test['n']:,} test images, "
        f"{len(card.layers)} candidate layers, {card.samples:,} probe images -> {folder.path}",
        highlight=False,
    )
    out.print(card.note, style="dim", highlight=False)


@o.takes(settings=o.analysis_settings)
def similarity(
    settings: AnalysisSettings,
    metric: o.Metric = DEFAULT_METRIC,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the matrix as .npz.")] = None,
    against: Annotated[
        str | None,
        typer.Option(help="Compare with the layers of another network: a finished run's id, or an analysis."),
    ] = None,
    analysis: o.AnalysisDir = None,
    as_json: o.AsJson = False,
) -> None:
    """Compute how similar every pair of layers is."""
    folder = opened(analysis, settings, metric, quiet=as_json)
    if against is not None:
        _compare_networks(folder, against, metric, out_file, as_json=as_json)
        return
    matrix = folder.similarity(metric, samples=settings.samples)
    if out_file:
        matrix.save(out_file)
    if as_json:
        notes = {name: asdict(note) for name, note in matrix.notes.items()}
        floors = matrix.floors()
        print_json(
            {
                "metric": matrix.metric,
                "pooling": matrix.pooling,
                "samples": matrix.samples,
                "layers": list(matrix.layers),
                "similarity": matrix.values.round(6).tolist(),
                "notes": notes,
                "floors": None if floors is None else floors.round(6).tolist(),
                "excluded": matrix.excluded,
            }
        )
        return
    if len(matrix.layers) <= 30:
        for name, row in zip(matrix.layers, matrix.values, strict=True):
            cells = " ".join(f"{'100' if value > 0.995 else f'{100 * value:3.0f}'}" for value in row)
            out.print(f"{name:>12} {cells}", highlight=False, no_wrap=True, overflow="ignore", crop=False)
    off_diagonal = matrix.values[matrix.values < 1 - 1e-12]
    least = off_diagonal.min() if len(off_diagonal) else 1.0
    out.print(
        f"{metric} of {len(matrix.layers)} layers on {matrix.samples:,} images; least similar pair "
        f"{least:.3f}" + (f"; written to {out_file}" if out_file else ""),
        highlight=False,
    )
    for name, note in matrix.notes.items():
        if note.status != "ok":
            err.print(f"{name}: {note.text}", style="yellow", highlight=False)


def _compare_networks(
    folder: AnalysisFolder, against: str, metric: str, out_file: Path | None, *, as_json: bool
) -> None:
    """Compare the layers of an analysed network with those of a run's student, or of another analysis."""
    from pursuhint.analysis.cross import cross_matrix, student_settings
    from pursuhint.runs import find_run

    if Path(against).is_dir():
        other = AnalysisFolder.open(Path(against))
    else:
        settings = student_settings(find_run(against), folder)
        other = analysed(settings, analyses_folder() / settings.key(), whole=False, quiet=as_json)
    matrix = cross_matrix(folder, other, metric)
    if out_file:
        matrix.save(out_file)
    if as_json:
        fields = {"metric": metric, "samples": matrix.samples, "rows": matrix.rows, "columns": matrix.columns}
        print_json(fields | {"similarity": matrix.values.round(6).tolist()})
        return
    rows = [
        (name, *(f"{value:.2f}" for value in row))
        for name, row in zip(matrix.rows, matrix.values, strict=True)
    ]
    title = f"{metric} of {folder.card.teacher.spec} (down) and {other.card.teacher.spec} (across)"
    table(f"{title}, {matrix.samples:,} images", ("", *matrix.columns), rows)


@o.takes(settings=o.analysis_settings, choice=o.choice_options)
def hints(
    settings: AnalysisSettings,
    choice: dict[str, Any],
    out_file: Annotated[Path | None, typer.Option("--out", help="Write the hint plan as JSON.")] = None,
    analysis: o.AnalysisDir = None,
    as_json: o.AsJson = False,
) -> None:
    """Cluster a teacher's layers and take the cluster centres as hint points."""
    metric, method, seed = choice["metric"], choice["method"], choice["seed"]
    folder = opened(analysis, settings, metric, quiet=as_json)
    plan = choose_hints(folder, samples=settings.samples, **choice)
    similarity = folder.similarity(metric, samples=settings.samples)
    covered = coverage_report(similarity.values, similarity.layers, plan.hint_points, seed=seed)
    curve = silhouette_curve(similarity, method=method if method in METHODS else DEFAULT_METHOD, seed=seed)
    if out_file:
        plan.save(out_file)
    if as_json:
        print_json(
            {
                "teacher": plan.teacher.spec,
                "layers": list(plan.layers),
                "metric": plan.metric,
                "pooling": plan.pooling,
                "samples": len(plan.sample_ids),
                "method": plan.method,
                "clusters": [list(cluster) for cluster in plan.clusters],
                "hint_points": list(plan.hint_points),
                "silhouette": plan.silhouette,
                "silhouette_curve": curve,
                "suggested_clusters": suggested_clusters(curve) if curve else None,
                "coverage": asdict(covered),
                "plan": str(out_file) if out_file else None,
            }
        )
        return
    rows = [
        (
            chr(65 + i),
            centre,
            len(cluster),
            f"{cluster[0]} ... {cluster[-1]}" if len(cluster) > 1 else cluster[0],
        )
        for i, (centre, cluster) in enumerate(zip(plan.centres, plan.clusters, strict=True))
    ]
    silhouette = "" if plan.silhouette is None else f", silhouette {plan.silhouette:.3f}"
    title = f"{plan.teacher.spec}: {metric}, {method}, {len(plan.sample_ids):,} probe images{silhouette}"
    table(title, ("cluster", "hint point", "layers", "from ... to"), rows)
    best = "best" if covered.best_exact else "best found"
    out.print(
        f"coverage {covered.value:.3f}: mean similarity of a layer to its nearest hint point; {best} of "
        f"{covered.count} hint points {covered.best:.3f}, random {covered.random_mean:.3f}",
        highlight=False,
    )
    if curve:
        chosen = suggested_clusters(curve)
        out.print(f"the silhouette is largest for K = {chosen} ({curve[chosen]:.3f})", highlight=False)
    if len(plan.layers) < 2 * covered.count:
        message = f"only {len(plan.layers)} layers for {covered.count} clusters: the choice means little"
        err.print(message, style="yellow")
    if out_file:
        out.print(f"plan written to {out_file}", highlight=False)


def opened(analysis: Path | None, given: AnalysisSettings, metric: str, *, quiet: bool) -> AnalysisFolder:
    """Open the named analysis, or make (and keep) the one that the settings describe."""
    check_pooling(metric, given.pooling)
    if analysis is not None:
        return AnalysisFolder.open(analysis)
    return analysed(given, analyses_folder() / given.key(), whole=False, quiet=quiet)


def analysed(settings: AnalysisSettings, path: Path, *, whole: bool, quiet: bool) -> AnalysisFolder:
    """Make an analysis, or the stages of it that are missing."""
    from pursuhint.analysis.worker import analyse as run_analysis

    with progress_bars(quiet=quiet) as progress:
        return run_analysis(settings, path, whole=whole, progress=progress)


def _make_maps(folder: AnalysisFolder, *, quiet: bool) -> None:
    from pursuhint.analysis.image_map_worker import work
    from pursuhint.analysis.maps import make_map

    with progress_bars(quiet=quiet) as progress:
        if folder.card.pooling != FLATTEN:
            work(folder, progress=progress)
        metrics = metrics_of(folder.card.pooling)
        for i, metric in enumerate(metrics, start=1):
            make_map(folder, metric)
            progress("mapping the layers", i, len(metrics))


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))

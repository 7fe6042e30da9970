"""The analysis worker: ``python -m pursuhint.analysis.worker FOLDER`` does what the settings there say.

Stages, each usable as soon as it is there: (1) features of every candidate layer, layer table, probe images;
(2) suggested students; (3) the teacher's accuracy on test images. Maps of the images are made on demand by
`pursuhint.analysis.image_maps`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from pursuhint.analysis.card import AnalysisCard
from pursuhint.analysis.folder import (
    CROSS,
    FEATURES,
    FLATTEN,
    HSIC,
    IMAGE_MAPS,
    LAYER_MAPS,
    MATRICES,
    N_MAPPED,
    SIGHTS,
    STABILITY,
    AnalysisFolder,
)
from pursuhint.analysis.kept import find_twin, size_limit, trim
from pursuhint.analysis.progress import N_TEST
from pursuhint.analysis.requests import content_key
from pursuhint.analysis.rows import feature_file
from pursuhint.analysis.settings import DEFAULT_SAMPLES, AnalysisSettings
from pursuhint.data import ImageData, Split, load_data
from pursuhint.data.images import choose_images
from pursuhint.errors import InputError, PursuhintError
from pursuhint.files import copy_file, crc32_file, write_atomic, write_json
from pursuhint.jobs import NICENESS, Cancelled, Reporter, answer, log_lines, recorded
from pursuhint.progress import Progress, silent

if TYPE_CHECKING:
    from pursuhint.layers import Layer
    from pursuhint.teacher import Teacher

THUMBNAIL = 32
RESULTS = ("analysis.json", "students.json", "score.json", HSIC)
"""What an analysis that is made again forgets first; the rest is written over or stands in folders."""


def analyse(
    settings: AnalysisSettings, out: Path, *, whole: bool = True, progress: Progress = silent
) -> AnalysisFolder:
    """Analyse a teacher into a folder, in this process.

    Args:
        settings: what to do.
        out: the folder; made when it is missing. Stages that an analysis with the same settings has done are
            not done again.
        whole: False ends after the first stage, which is all that similarities and hint points need.
        progress: is told about every stage.

    Raises:
        InputError: the settings do not fit together; PursuhintError: the work failed. The folder then says so
            and holds nothing that looks finished.
    """
    settings.check()
    folder = AnalysisFolder(out)
    same = folder.is_ready and folder.analysis_settings.key() == settings.key() and not folder.damaged()
    if same and (folder.test_score or not whole):
        return AnalysisFolder.open(out)
    if folder.path.is_dir() and any(folder.path.iterdir()) and not (folder.path / "settings.json").is_file():
        raise InputError(f"`{out}` holds other files and no analysis; choose a new or empty folder")
    if not folder.path.is_dir():
        folder.write_settings(settings.model_dump(mode="json"))
    with folder.claim():
        (folder.path / "stop").unlink(missing_ok=True)
        if not same:
            _clear(folder.path)
            folder.write_settings(settings.model_dump(mode="json"))
        _work(folder, progress, whole=whole)
    return AnalysisFolder.open(out)


def _clear(path: Path) -> None:
    for name in RESULTS:
        (path / name).unlink(missing_ok=True)
    for name in (FEATURES, MATRICES, STABILITY, CROSS, IMAGE_MAPS, LAYER_MAPS, SIGHTS):
        shutil.rmtree(path / name, ignore_errors=True)


def work(folder: AnalysisFolder, *, progress: Progress = silent) -> AnalysisFolder:
    """Do what a prepared folder asks for; its journal tells how it went."""
    with folder.claim():
        _work(folder, progress, whole=True)
    return folder


def _work(folder: AnalysisFolder, progress: Progress, *, whole: bool) -> None:
    with recorded(folder):
        try:
            _stages(folder, Reporter(folder, "the analysis", progress), whole=whole)
        except Cancelled:
            if not folder.is_ready:
                _clear(folder.path)  # half of the features are of no use to anybody
            raise


def _stages(folder: AnalysisFolder, progress: Reporter, *, whole: bool) -> None:
    progress.begin("images")
    from pursuhint.device import prepare_cpu
    from pursuhint.teacher import load_teacher

    settings = folder.analysis_settings
    size_limit()  # a wrong one is refused before the work, not after it
    if folder.is_ready and folder.damaged():
        _clear(folder.path)
    prepare_cpu(settings.threads)
    data = load_data(settings.data, progress=progress)
    progress.begin("teacher")
    teacher = load_teacher(
        settings.teacher,
        weights=settings.weights,
        data=data,
        preprocess=settings.preprocess,
        device=settings.device,
    )
    if not folder.is_ready:
        progress.begin("layers")
        _read_layers(folder, data, teacher, progress)
    if whole:
        _judge(folder, data, teacher, progress)


def _read_layers(folder: AnalysisFolder, data: ImageData, teacher: Teacher, progress: Progress) -> None:
    """Do the first stage: features of every candidate layer, layer table, probe images, card."""
    from pursuhint.analysis.collect import probe_images
    from pursuhint.layers import candidate_layers
    from pursuhint.students import describe_student
    from pursuhint.teacher import check_strength

    settings = folder.analysis_settings
    shape = teacher.input_shape_for(data)
    layers = candidate_layers(
        teacher.model, shape, depth=settings.depth, include=settings.include, exclude=settings.exclude
    )
    probe = probe_images(data.train, settings.samples, most=DEFAULT_SAMPLES)
    names = [layer.name for layer in layers]
    key = content_key(teacher.ref, data.id, probe.ids, names, settings.pooling)
    twin = find_twin(key, besides=folder.path)
    predictions = _taken_over(folder, twin) if twin else None
    if predictions is None:
        predictions = _passed(folder, teacher, probe, layers, progress)
    seen_accuracy = float((predictions == probe.labels).mean())
    check_strength(seen_accuracy, probe.labels, teacher.classes, allow_weak=settings.allow_weak_teacher)
    _save_probe(folder.path, probe, predictions)
    files = sorted((folder.path / FEATURES).glob("*.npy"))
    card = AnalysisCard(
        teacher=teacher.ref,
        parameters=teacher.parameters,
        flops=describe_student(teacher.spec, teacher.classes, shape).flops,
        data=data.spec,
        data_id=data.id,
        classes=data.classes,
        input_shape=shape,
        pooling=settings.pooling,
        samples=len(probe),
        layers=tuple(layer.as_dict() for layer in layers),
        seen_accuracy=seen_accuracy,
        note=teacher.note,
        versions=_versions(),
        key=key,
        checksums=tuple(crc32_file(file) for file in files),
    )
    write_json(folder.path / "analysis.json", card.model_dump(mode="json"))
    with suppress(PursuhintError):  # the analysis is done, whatever keeps others from being removed
        trim(spare=folder.path)


def _passed(
    folder: AnalysisFolder, teacher: Teacher, probe: Split, layers: Sequence[Layer], progress: Progress
) -> np.ndarray:
    """Run the teacher over the probe images, leave what the layers put out, return its answers."""
    from pursuhint.analysis.collect import collect_representations
    from pursuhint.analysis.gram import collect_hsic

    settings, model, recipe = folder.analysis_settings, teacher.model, teacher.preprocess
    if settings.pooling == FLATTEN:
        hsic, sizes, logits = collect_hsic(model, probe, layers, recipe, progress=progress)
        write_atomic(folder.path / HSIC, lambda file: np.savez(file, hsic=hsic, sizes=sizes))
    else:
        _, logits = collect_representations(
            model,
            probe,
            layers,
            recipe,
            pooling=settings.pooling,
            folder=folder.path / FEATURES,
            most_bytes=int(settings.disk_limit * 1e9),
            progress=progress,
        )
    return logits.argmax(axis=1)


def _taken_over(folder: AnalysisFolder, twin: AnalysisFolder) -> np.ndarray | None:
    """Take over what another analysis of the same content read from the layers.

    Returns:
        The teacher's answers; None when the other one was removed meanwhile.
    """
    try:
        predictions = twin.probe["predictions"]
        if twin.card.pooling == FLATTEN:
            copy_file(twin.path / HSIC, folder.path / HSIC)
        for index in range(len(twin.card.checksums)):
            copy_file(feature_file(twin.path / FEATURES, index), feature_file(folder.path / FEATURES, index))
    except (FileNotFoundError, InputError):
        return None
    return predictions


def _judge(folder: AnalysisFolder, data: ImageData, teacher: Teacher, progress: Reporter) -> None:
    """Do the other stages: suggested students, and the teacher's accuracy on test images."""
    from pursuhint.probe import suggest_students
    from pursuhint.teacher import score

    progress.begin("students")
    students = suggest_students(teacher.spec, teacher.classes, teacher.input_shape_for(data))
    write_json(folder.path / "students.json", [student.as_dict() for student in students])
    progress.begin("test")
    result = score(teacher.model, _test_part(data), teacher.preprocess, progress=progress)
    write_json(
        folder.path / "score.json",
        {"accuracy": result.accuracy, "n": result.n, "cross_entropy": result.cross_entropy},
    )


def _test_part(data: ImageData) -> Split:
    return choose_images(data.test, min(N_TEST, len(data.test)))


def _save_probe(path: Path, probe: Split, predictions: np.ndarray) -> None:
    arrays = {"ids": probe.ids, "labels": probe.labels, "predictions": predictions.astype(np.int64)}
    write_atomic(path / "samples.npz", lambda file: np.savez_compressed(file, **arrays))
    images = probe.images(slice(0, N_MAPPED))
    step = max(1, -(-max(images.shape[1:3]) // THUMBNAIL))
    write_atomic(
        path / "thumbnails.npz", lambda file: np.savez_compressed(file, images=images[:, ::step, ::step])
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("pursuhint", "torch", "torchvision", "numpy")}


def _cancel(*_: object) -> NoReturn:
    """End the work where it is: a request to stop was not found in time."""
    raise Cancelled("the analysis was cancelled")


def main() -> int:
    """Work on the folder named on the command line; the journal and the exit code tell how it went."""
    os.nice(NICENESS)
    signal.signal(signal.SIGTERM, _cancel)
    folder = AnalysisFolder(Path(sys.argv[1]))
    with log_lines(folder.id):
        return answer(lambda: work(folder))


if __name__ == "__main__":
    sys.exit(main())

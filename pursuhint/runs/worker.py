"""The run worker: ``python -m pursuhint.runs.worker FOLDER`` trains what the settings there say."""

from __future__ import annotations

import os
import platform
import signal
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pursuhint.errors import PursuhintError
from pursuhint.jobs import answer
from pursuhint.progress import Progress, silent
from pursuhint.runs.folder import RunFolder


def work(
    run: RunFolder, *, progress: Progress = silent, watch: Callable[..., None] | None = None
) -> dict[str, Any]:
    """Work on a run in this process until it has finished, failed or was stopped.

    Args:
        run: the run; a checkpoint in it is continued.
        progress: is told after every epoch.
        watch: receives every event that the journal does, as ``watch(kind, **fields)``.

    Returns:
        The final figures.

    Raises:
        InputError: the settings do not fit together; PursuhintError: training failed or was stopped. The
            journal then says so too.
    """
    from pursuhint.training.loop import Stopped

    with run.claim():
        try:
            final = _train(run, progress, watch)
        except Stopped as stop:
            run.set_state("stopped", reason=str(stop))
            raise
        except PursuhintError as error:
            run.set_state("failed", reason=str(error))
            raise
        except Exception as error:
            raise run.fail(error) from error
        run.set_state("finished")
    return final


def _train(run: RunFolder, progress: Progress, watch: Callable[..., None] | None) -> dict[str, Any]:
    from pursuhint.export import export_student
    from pursuhint.runs.mirrors import Mirrors
    from pursuhint.training.loop import Trainer
    from pursuhint.training.prepare import load_parts

    settings = run.run_settings
    parts = load_parts(settings, progress=progress)
    mirrors = Mirrors(settings.mirrors, run.path, warn=lambda text: run.journal.append("warning", text=text))

    def record(kind: str, **fields: Any) -> None:
        run.journal.append(kind, **fields)
        mirrors.record(kind, **fields)
        if watch:
            watch(kind, **fields)

    trainer = Trainer(
        settings,
        parts,
        folder=run.checkpoint_folder,
        record=record,
        should_stop=run.stop_asked,
        progress=progress,
    )
    student, teacher = parts.student, parts.teacher
    record(
        "start",
        student=student.spec,
        parameters=student.parameters,
        teacher=teacher.spec if teacher else None,
        teacher_parameters=teacher.parameters if teacher else None,
        compression=teacher.parameters / student.parameters if teacher else None,
        teacher_accuracy_check=parts.teacher_accuracy,
        data_id=parts.data.id,
        n_train=len(parts.data.train) if settings.limit is None else settings.limit,
        n_validation=len(parts.data.validation),
        steps_per_epoch=trainer.batches.steps,
        pairs=parts.pair_table(),
        augmentation=parts.augmentation,
        recipe=settings.recipe,
        threads=trainer.threads,
        device=str(trainer.fabric.device),
        versions={name: version(name) for name in ("pursuhint", "torch", "torchvision", "lightning-fabric")},
        python=platform.python_version(),
    )
    for text in parts.remarks():
        if text not in run.history().warnings:  # as a resumed run's own journal says already
            record("warning", text=text)
    finished = False
    try:
        trainer.start()
        final = trainer.run()
        export_student(trainer.distiller.student, run.student, settings=settings, parts=parts, figures=final)
        finished = True
    finally:
        mirrors.close(success=finished)
    return final


def _ask_to_stop_on_signal(run: RunFolder) -> None:
    """Turn a polite signal into a request to stop, so that a checkpoint is written."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: (run.path / "stop").touch())


def main() -> int:
    """Work on the folder named on the command line; the journal and the exit code tell how it went."""
    os.nice(5)
    run = RunFolder(Path(sys.argv[1]))
    _ask_to_stop_on_signal(run)
    return answer(lambda: work(run))


if __name__ == "__main__":
    sys.exit(main())

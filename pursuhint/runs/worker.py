"""The run worker: ``python -m pursuhint.runs.worker FOLDER`` trains what the settings there say.

``torchrun --nproc_per_node N -m pursuhint.runs.worker FOLDER`` does the same in N processes.
"""

from __future__ import annotations

import os
import platform
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pursuhint.errors import PursuhintError
from pursuhint.jobs import answer
from pursuhint.progress import Progress, silent
from pursuhint.ranks import is_first_process, process_count, process_rank
from pursuhint.runs.examine import examine
from pursuhint.runs.folder import RunFolder, create_run
from pursuhint.training.settings import RunSettings


def work(
    run: RunFolder, *, progress: Progress = silent, watch: Callable[..., None] | None = None
) -> dict[str, Any]:
    """Work on a run in this process until it has finished, failed or was stopped.

    Of several processes that torchrun started, the first one holds the run and writes; each calls this.

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

    first = is_first_process()
    if first and not run.is_live():
        (run.path / "stop").unlink(missing_ok=True)  # it was meant for whoever worked on the run before
    with run.claim() if first else nullcontext():
        try:
            final = _train(run, progress if first else silent, watch if first else None)
        except Stopped as stop:
            if first:
                run.set_state("stopped", reason=str(stop))
            raise
        except PursuhintError as error:
            if not _failed_elsewhere(run):
                run.set_state("failed", reason=_where() + str(error))
            raise
        except Exception as error:
            if cause := _failed_elsewhere(run):
                raise PursuhintError(cause) from error
            raise run.fail(error) from error
        if first:
            run.set_state("finished")
    return final


def create_run_together(settings: RunSettings) -> RunFolder:
    """Make the folder of a new run, once for all processes that torchrun started.

    Args:
        settings: of the run, the same in every process.
    """
    from pursuhint.training.precision import build_fabric
    from pursuhint.training.processes import Processes

    processes = Processes(build_fabric(settings))
    return RunFolder(processes.from_first(lambda: create_run(settings).path))


def _failed_elsewhere(run: RunFolder) -> str:
    """Return why another process of this run has failed; what the others then see is only its absence."""
    state = run.last_state()
    return state["reason"] if process_count() > 1 and state["state"] == "failed" else ""


def _where() -> str:
    return "" if is_first_process() else f"process {process_rank()}: "


def _train(run: RunFolder, progress: Progress, watch: Callable[..., None] | None) -> dict[str, Any]:
    from pursuhint.export import export_student
    from pursuhint.runs.mirrors import Mirrors
    from pursuhint.training.loop import Trainer
    from pursuhint.training.precision import build_fabric
    from pursuhint.training.prepare import load_parts
    from pursuhint.training.processes import Processes

    settings = run.run_settings
    processes = Processes(build_fabric(settings))
    if processes.count > 1:
        _stop_together_on_signal(run, processes.first)
    parts = processes.first_then_others(lambda: load_parts(settings, progress=progress))
    mirrored = settings.mirrors if processes.first else ()
    mirrors = Mirrors(mirrored, run.path, warn=lambda text: run.journal.append("warning", text=text))

    def record(kind: str, **fields: Any) -> None:
        if processes.first:
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
        processes=processes,
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
        processes=processes.count,
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
        if processes.first:
            export_student(
                trainer.distiller.student, run.student, settings=settings, parts=parts, figures=final
            )
        finished = True
    finally:
        mirrors.close(success=finished)
    return final


def _ask_to_stop_on_signal(run: RunFolder) -> None:
    """Turn a polite signal into a request to stop, so that a checkpoint is written."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: (run.path / "stop").touch())


def _stop_together_on_signal(run: RunFolder, first: bool) -> None:
    """Let the first process answer for all: torchrun signals each, and again when one has ended."""
    if first:
        return _ask_to_stop_on_signal(run)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def main() -> int:
    """Work on the folder named on the command line, then examine the student."""
    os.nice(5)
    run = RunFolder(Path(sys.argv[1]))
    if is_first_process():
        _ask_to_stop_on_signal(run)
    code = answer(lambda: work(run))
    if is_first_process():
        with suppress(PursuhintError):  # each has said in its folder what went wrong
            run.summary()  # keeps it for lists
            if code == 0:
                examine(run)
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The run worker: ``python -m pursuhint.runs.worker FOLDER [--now]`` trains what the settings there say.

With ``--finish`` it trains no further, but measures and exports the best student so far.

``torchrun --nproc_per_node N -m pursuhint.runs.worker FOLDER`` does the same in N processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pursuhint.errors import PursuhintError, StopRequested
from pursuhint.jobs import NICENESS, answer, log_lines
from pursuhint.progress import Progress, silent
from pursuhint.ranks import is_first_process, process_count, process_rank
from pursuhint.runs.circumstances import check_same_data, circumstances, what_changed
from pursuhint.runs.examine import examine
from pursuhint.runs.folder import FINISH, NOW, RunFolder
from pursuhint.runs.queue import Place, queue_device, turn
from pursuhint.runs.signals import stop_together_on_signal, stopping_on_signal
from pursuhint.training.settings import RunSettings

if TYPE_CHECKING:
    from pursuhint.training.loop import Trainer
    from pursuhint.training.prepare import Parts
    from pursuhint.training.processes import Processes

TOLD = {
    "start": ("student", "parameters", "device", "threads", "n_train"),
    "epoch": ("epoch", "validation_accuracy", "images_per_second"),
    "warning": ("text",),
    "final": ("best_epoch", "test_accuracy"),
}
"""Kind of an event -> what the log says of it; the journal has all."""


def work(
    run: RunFolder,
    *,
    progress: Progress = silent,
    watch: Callable[..., None] | None = None,
    waiting: Callable[[str], None] | None = None,
    now: bool = False,
    own: bool = False,
    finish: bool = False,
) -> dict[str, Any]:
    """Work on a run in this process until it has finished, failed or was stopped.

    It waits for its turn on its device first. Of several processes that torchrun started, the first one
    holds the run and writes; each calls this, and none waits for a turn.

    Args:
        run: the run; a checkpoint in it is continued.
        progress: is told after every epoch.
        watch: receives every event that the journal does, as ``watch(kind, **fields)``.
        waiting: is told in words when the device is busy.
        now: train at once, beside whoever has the device.
        own: this process is there for the run alone, so that it may be ended when it does not stop.
        finish: train no further: measure and export the best student so far.

    Returns:
        The final figures.

    Raises:
        InputError: the settings do not fit together; PursuhintError: training failed or was stopped. The
            journal then says so too.
    """
    settings, first = run.run_settings, is_first_process()
    with run.hold() if first else nullcontext():
        try:
            with _turn(run, settings, waiting, now=now, own=own) if first else nullcontext():
                telling = (progress, watch) if first else (silent, None)
                final = _train(run, *telling, further=not finish)
        except StopRequested as stop:
            if first:
                run.set_state("stopped", reason=str(stop))
            raise
        except KeyboardInterrupt:
            reason = "stopped at once; it goes on from its newest checkpoint"
            if first:
                run.set_state("stopped", reason=reason)
            raise StopRequested(reason) from None
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


@contextmanager
def _turn(
    run: RunFolder, settings: RunSettings, waiting: Callable[[str], None] | None, *, now: bool, own: bool
) -> Iterator[None]:
    """Wait until the run's device is free, then begin the run and keep the device while the block runs."""

    def wait(place: Place) -> None:
        run.set_state("queued", reason=place.text, **run.myself(own=own))
        if waiting:
            waiting(place.text)

    if not run.is_live():
        (run.path / "stop").unlink(missing_ok=True)  # meant for whoever worked on it before
    device = queue_device(settings.device)
    together = process_count() > 1  # the others, which have started, would give up on one that waits
    with turn(run.id, device, waiting=wait, stop_asked=run.stop_asked, now=now or together):
        run.begin(own=own)
        yield


def _failed_elsewhere(run: RunFolder) -> str:
    """Return why another process of this run has failed; what the others then see is only its absence."""
    state = run.last_state()
    return state["reason"] if process_count() > 1 and state["state"] == "failed" else ""


def _where() -> str:
    return "" if is_first_process() else f"process {process_rank()}: "


def _train(
    run: RunFolder, progress: Progress, watch: Callable[..., None] | None, *, further: bool
) -> dict[str, Any]:
    from pursuhint.runs.mirrors import mirroring
    from pursuhint.training.memory import explain_out_of_memory
    from pursuhint.training.precision import build_fabric
    from pursuhint.training.prepare import load_parts
    from pursuhint.training.processes import Processes

    settings = run.run_settings
    processes = Processes(build_fabric(settings))
    if processes.count > 1:
        stop_together_on_signal(run, first=processes.first)
    with explain_out_of_memory(settings, run.checkpoint_folder, "loading"):
        parts = processes.first_then_others(lambda: load_parts(settings, progress=progress))

    def warn(text: str) -> None:
        run.journal.append("warning", text=text)

    with mirroring(settings.mirrors if processes.first else (), run.path, warn=warn):
        return _trained(run, parts, processes, progress, watch, further=further)


def _trained(
    run: RunFolder,
    parts: Parts,
    processes: Processes,
    progress: Progress,
    watch: Callable[..., None] | None,
    *,
    further: bool,
) -> dict[str, Any]:
    from pursuhint.export import export_student
    from pursuhint.training.checkpoint import checkpoints
    from pursuhint.training.loop import Trainer
    from pursuhint.training.memory import explain_out_of_memory

    settings = run.run_settings

    def record(kind: str, **fields: Any) -> None:
        if processes.first:
            run.journal.append(kind, **fields)
            if watch:
                watch(kind, **fields)

    with explain_out_of_memory(settings, run.checkpoint_folder, "loading"):
        trainer = Trainer(
            settings,
            parts,
            folder=run.checkpoint_folder,
            record=record,
            should_stop=run.stop_asked,
            progress=progress,
            processes=processes,
        )
    start, earlier = _start_facts(trainer), run.history()
    before = earlier.facts.get("start") if checkpoints(run.checkpoint_folder) else None
    if before:
        check_same_data(before, start)
    record("start", **start)
    for text in [*parts.remarks(), *(what_changed(before, start) if before else ())]:
        if text not in earlier.warnings:  # as a resumed run's own journal says already
            record("warning", text=text)
    trainer.start()
    final = trainer.run(further=further)
    figures = final | {"epochs": trainer.standing.epoch}
    # In the first one; that none leaves before it has written is what callers in the others count on.
    processes.from_first(
        lambda: export_student(
            trainer.distiller.student, run.student, settings=settings, parts=parts, figures=figures
        )
    )
    return final


def _start_facts(trainer: Trainer) -> dict[str, Any]:
    """Return what the journal says of a run before its first step."""
    settings, parts = trainer.settings, trainer.parts
    student, teacher = parts.student, parts.teacher
    return {
        "student": student.spec,
        "parameters": student.parameters,
        "teacher": teacher.spec if teacher else None,
        "teacher_parameters": teacher.parameters if teacher else None,
        "compression": teacher.parameters / student.parameters if teacher else None,
        "teacher_accuracy_check": parts.teacher_accuracy,
        "data_id": parts.data.id,
        "n_train": len(parts.data.train) if settings.limit is None else settings.limit,
        "n_validation": len(parts.data.validation),
        "steps_per_epoch": trainer.batches.steps,
        "beginning": parts.beginning.facts(),
        "pairs": parts.pair_table(),
        "augmentation": parts.augmentation,
        "recipe": settings.recipe,
        "threads": trainer.threads,
        "processes": trainer.processes.count,
        "device": str(trainer.fabric.device),
        **circumstances(),
    }


def main() -> int:
    """Work on the folder named on the command line, then examine the student."""
    os.nice(NICENESS)
    run = RunFolder(Path(sys.argv[1]))

    def listen() -> None:
        with stopping_on_signal(run) if is_first_process() else nullcontext():
            options = sys.argv[2:]
            work(run, own=True, now=NOW in options, finish=FINISH in options, waiting=print, watch=_tell)

    with log_lines(run.id):
        code = answer(listen)
        if is_first_process():
            with suppress(PursuhintError):  # each has said in its folder what went wrong
                run.summary()  # keeps it for lists
                if code == 0:
                    examine(run, own=True)
    return code


def _tell(kind: str, **fields: Any) -> None:
    """Print what is worth a line in the log."""
    if kind in TOLD:
        print(f"{kind}: " + ", ".join(f"{name} {fields[name]}" for name in TOLD[kind] if name in fields))


if __name__ == "__main__":
    sys.exit(main())

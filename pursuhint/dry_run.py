"""A dry run: the first steps of a run, taken for real before it is started, and nothing of them kept.

``python -m pursuhint.dry_run SETTINGS.json`` prints what came of them as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pursuhint.errors import StorageError
from pursuhint.files import write_bytes
from pursuhint.home import home, targets_folder
from pursuhint.jobs import answer, ask
from pursuhint.progress import Progress, silent
from pursuhint.ranks import check_alone
from pursuhint.training.check import check_settings
from pursuhint.training.settings import RunSettings

if TYPE_CHECKING:
    from pursuhint.training.prepare import Parts

TIMEOUT = 600
"""Seconds for data that have to be made ready first."""


@dataclass(frozen=True)
class DryRun:
    """What the first steps of a run tell of it.

    A part is a term of the objective, or one of its losses where it has several (``hint:crd``).

    Attributes:
        device: that the steps ran on.
        losses: part -> its unweighted value in the first step.
        weights: part -> the weight that it has in the first step.
        shares: part -> its share of the gradient on the student there; all 0 where every weight is.
        adapter_parameters: trained beside the student and dropped at export.
        steps: of an epoch.
        step_seconds: a step takes, the teacher included.
        teacher_seconds: of these are the teacher's.
        scoring_seconds: scoring the student takes after an epoch.
        ready_seconds: pass until the first step: networks and images are loaded, weights settled.
        peak_bytes: of memory: of the GPU's, or of this process on the CPU.
        views: that the run will keep the teacher's targets of; 0 for none.
        targets_bytes: that they take on the disk.
        warnings: that the run would begin with.
        settled: part -> the weight that a schedule starts from or leads to.
    """

    device: str
    losses: dict[str, float]
    weights: dict[str, float]
    shares: dict[str, float]
    adapter_parameters: int
    steps: int
    step_seconds: float
    teacher_seconds: float
    scoring_seconds: float
    ready_seconds: float
    peak_bytes: int
    views: int = 0
    targets_bytes: int = 0
    warnings: tuple[str, ...] = ()
    settled: dict[str, float] = field(default_factory=dict)

    @property
    def weighted(self) -> dict[str, float]:
        """Part -> its weight times its value in the first step; they add up to the total."""
        return {part: self.weights[part] * value for part, value in self.losses.items()}

    @property
    def epoch_seconds(self) -> float:
        """How long an epoch takes in which the teacher is asked, its scoring included."""
        return self.steps * self.step_seconds + self.scoring_seconds

    def run_seconds(self, epochs: int) -> float:
        """Predict how long the run takes, from its start to its last epoch.

        Args:
            epochs: of the run; where targets are kept, the teacher is asked in as many as there are views.

        Example:
            >>> measured = ("cpu", {}, {}, {}, 0, 10, 0.3, 0.1, 1.0, 8.0, 0)
            >>> DryRun(*measured).run_seconds(5), DryRun(*measured, views=2).run_seconds(5)
            (28.0, 25.0)
        """
        untaught = max(0, epochs - self.views) if self.views else 0
        return self.ready_seconds + epochs * self.epoch_seconds - untaught * self.steps * self.teacher_seconds


def dry_run(settings: RunSettings, *, progress: Progress = silent) -> DryRun:
    """Take the first steps of a run in this process, save and export as it would, and keep nothing.

    Targets are counted, not kept, and nothing is compiled: both cost more than the steps.

    Args:
        settings: of the run.
        progress: is told of data that are made ready.

    Raises:
        InputError: the settings cannot be used, or torchrun has started several processes.
        PursuhintError: a step fails, or what the run has to write cannot be written.
    """
    check_alone("tried first", "--dry-run")
    check_settings(settings)
    began = time.perf_counter()
    from pursuhint.training import measuring
    from pursuhint.training.loop import Trainer
    from pursuhint.training.memory import explain_out_of_memory
    from pursuhint.training.prepare import load_parts

    tried = settings.model_copy(update={"keep_targets": None, "compile": "off", "mirrors": ()})
    said: list[tuple[str, dict[str, Any]]] = []
    with _scratch() as folder:
        with explain_out_of_memory(tried, folder, "loading"):
            parts = load_parts(tried, progress=progress)
            trainer = Trainer(
                tried, parts, folder=folder, record=lambda kind, **fields: said.append((kind, fields))
            )
        trainer.start()
        ready_seconds = time.perf_counter() - began
        with explain_out_of_memory(tried, folder):
            losses, step_seconds = measuring.take_steps(trainer)
            teacher_seconds = measuring.teacher_seconds(trainer)
            scoring_seconds = measuring.scoring_seconds(trainer)
        measuring.write_once(trainer, folder)
    views, targets_bytes, remarks = _targets(settings, parts, len(trainer.batches.images.ids))
    settled = next(fields for kind, fields in said if kind == "weights")
    weights = trainer.weights_at(0)
    return DryRun(
        device=str(trainer.fabric.device),
        losses=losses,
        weights=weights,
        shares=_shares_under(weights, **settled),
        adapter_parameters=sum(pair["adapter_parameters"] for pair in parts.pair_table()),
        steps=trainer.batches.steps,
        step_seconds=step_seconds,
        teacher_seconds=min(teacher_seconds, step_seconds),
        scoring_seconds=scoring_seconds,
        ready_seconds=ready_seconds,
        peak_bytes=measuring.peak_bytes(trainer),
        views=views,
        targets_bytes=targets_bytes,
        warnings=(
            *parts.remarks(),
            *remarks,
            *(fields["text"] for kind, fields in said if kind == "warning"),
        ),
        settled=settled["weights"],
    )


def _shares_under(
    now: dict[str, float], weights: dict[str, float], shares: dict[str, float], **_: Any
) -> dict[str, float]:
    """Return the shares of the gradient under the weights that are in force now, from those that settled."""
    if now == weights:
        return shares
    pulls = {part: share * now[part] / (weights[part] or 1) for part, share in shares.items()}
    total = sum(pulls.values()) or 1
    return {part: pull / total for part, pull in pulls.items()}


def _targets(settings: RunSettings, parts: Parts, images: int) -> tuple[int, int, list[str]]:
    """Return how many views' targets the run would keep, their bytes, and why none where it was asked to."""
    from pursuhint.training.target_size import bytes_needed, target_shapes, why_not_kept

    views = settings.keep_targets or 0
    if not views:
        return 0, 0, []
    guided, hints = (
        {layer.name: layer.shape for layer in layers}
        for layers in (parts.student_layers, parts.teacher_layers)
    )
    shapes = target_shapes(parts.pairs, guided, hints, settings.hint_loss, len(parts.data.classes))
    needed = bytes_needed(shapes, images=images, views=views)
    if reason := why_not_kept(needed, views, limit=settings.targets_limit, folder=targets_folder()):
        return 0, 0, [f"the teacher's targets would not be kept: {reason}"]
    return views, needed, []


def ask_dry_run(settings: RunSettings) -> DryRun:
    """Do a `dry_run` in a process of its own, for one that need not import torch."""
    with _scratch() as folder:
        write_bytes(folder / "settings.json", settings.model_dump_json().encode())
        said = ask("pursuhint.dry_run", str(folder / "settings.json"), what="the dry run", timeout=TIMEOUT)
    found = json.loads(said)
    return DryRun(**found | {"warnings": tuple(found["warnings"])})


@contextmanager
def _scratch() -> Iterator[Path]:
    """Give a folder on the disk that runs are written to."""
    try:
        home().mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".dry-run-", dir=home())
    except OSError as error:
        raise StorageError(
            f"cannot write `{home()}`: {error.strerror}; free some space or set PURSUHINT_HOME to another "
            "folder"
        ) from error
    with folder as path:
        yield Path(path)


def main() -> int:
    """Try the settings of the file on the command line."""
    settings = RunSettings.model_validate_json(Path(sys.argv[1]).read_bytes())
    return answer(lambda: print(json.dumps(asdict(dry_run(settings)))))


if __name__ == "__main__":
    sys.exit(main())

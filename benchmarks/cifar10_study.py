"""Do hints help, and does it matter where? Published ResNet-56 -> smaller ResNets on CIFAR-10.

    python -m benchmarks.cifar10_study --weights resnet56.th --data cifar10:PATH --out FOLDER

Trains every student in every arm with several seeds, all with the same images, epochs and batch size, and
prints test accuracies: of the last epoch, and of the best epoch on the validation images. Arms: labels alone;
KD; KD and attention transfer at the ends of the teacher's stages; the same at the centres of its clusters.
Every epoch shows a new view, so keeping the teacher's targets changes none; it lets students that are taught
the same share the teacher's forward passes. Stop it whenever you like: called again with the same folder it
goes on where it stood, and only reports what is there with ``--report``. ``--part 0/2`` and ``--part 1/2``
share the runs among two processes.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pursuhint.analysis import AnalysisFolder, AnalysisSettings
from pursuhint.hints import choose_hints
from pursuhint.jobs import LIVE
from pursuhint.plan import HintPlan
from pursuhint.runs import RunFolder, create_run
from pursuhint.runs.worker import work
from pursuhint.training.settings import RunSettings, make_settings

ARMS: dict[str, dict[str, Any]] = {
    "none": {"kind": "train"},
    "kd": {"kind": "distill", "logit_loss": "kd"},
    "kd + at, stage ends": {"kind": "distill", "logit_loss": "kd", "hint_loss": "at"},
    "kd + at, clusters": {"kind": "distill", "logit_loss": "kd", "hint_loss": "at"},
}
STUDENTS = {"zoo:resnet20": tuple(ARMS), "zoo:resnet32?width=0.855": ("kd", "kd + at, clusters")}
"""Student -> its arms; the second one is what `--student auto` proposes: 2.5 times fewer parameters."""
METHODS = {"kd + at, stage ends": "stage_ends"}


@dataclass(frozen=True)
class Entry:
    """One training of the study."""

    student: str
    arm: str
    seed: int

    @property
    def name(self) -> str:
        """How its run is called; by it the run is found again."""
        return f"{self.student.partition(':')[2]} · {self.arm} · seed {self.seed}"


def entries(students: Iterable[str], seeds: int) -> list[Entry]:
    """Return every training; seed by seed, so that what is there at any time compares."""
    return [
        Entry(student, arm, seed)
        for student in students
        for seed in range(seeds)
        for arm in STUDENTS[student]
    ]


def analysed(given: argparse.Namespace) -> AnalysisFolder:
    """Return the teacher's analysis, made when it is not there yet."""
    from pursuhint.analysis.worker import analyse

    path = given.out / "analysis"
    if (path / "card.json").is_file():
        return AnalysisFolder(path)
    settings = AnalysisSettings(
        teacher="zoo:resnet56",
        weights=str(given.weights.resolve()),
        data=given.data,
        preprocess="imagenet",
        samples=given.probe_images,
        threads=given.threads,
    )
    return analyse(settings, path, whole=False)


def settings_of(entry: Entry, plans: dict[str, HintPlan], given: argparse.Namespace) -> RunSettings:
    """Return the settings of one training; the arms differ in nothing but their losses and hint points."""
    fields = ARMS[entry.arm]
    plan = plans[METHODS.get(entry.arm, "pursuhint")]
    return make_settings(
        name=entry.name,
        student=entry.student,
        data=given.data,
        preprocess=plan.teacher.preprocess,
        plan=plan if fields["kind"] == "distill" else None,
        epochs=given.epochs,
        limit=given.images,
        batch_size=64,
        learning_rate=0.05,
        seed=entry.seed,
        threads=given.threads,
        keep_targets=given.epochs if fields["kind"] == "distill" else None,
        **fields,
    )


def train(wanted: list[Entry], plans: dict[str, HintPlan], given: argparse.Namespace) -> None:
    """Train what is not finished yet, going on with runs that were interrupted."""
    known = {run.run_settings.name: run for run in _runs(given.out)}
    for entry in wanted:
        run = known.get(entry.name) or create_run(settings_of(entry, plans, given), folder=given.out / "runs")
        state = run.last_state()["state"]
        if state != "finished" and not (state in LIVE and run.is_live()):
            print(entry.name, flush=True)
            work(run, now=True)


def report(given: argparse.Namespace) -> str:
    """Return the table in Markdown: mean and standard deviation over the seeds that are there."""
    runs = [run for run in _runs(given.out) if run.last_state()["state"] == "finished"]
    finals = {run.run_settings.name: run.history().facts["final"] for run in runs}
    lines = [
        "| student | taught by | seeds | test, last epoch | test, best on validation | last, each seed |",
        "|---|---|---|---|---|---|",
    ]
    for student in given.student or STUDENTS:
        for arm in STUDENTS[student]:
            names = [e.name for e in entries([student], given.seeds) if (e.student, e.arm) == (student, arm)]
            found = [finals[name] for name in names if name in finals]
            last = [100 * final["test_accuracy_last"] for final in found]
            best = [100 * final["test_accuracy"] for final in found]
            each = ", ".join(f"{accuracy:.2f}" for accuracy in last)
            cells = (student.removeprefix("zoo:"), arm, len(found), _spread(last), _spread(best), each)
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _spread(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f}" if values else "–"
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"


def _runs(out: Path) -> Iterator[RunFolder]:
    return (RunFolder(path.parent) for path in sorted(out.glob("runs/*/settings.json")))


def main() -> None:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weights", type=Path, help="the published resnet56.th")
    parser.add_argument("--data", default="cifar10", help="such as cifar10:PATH")
    parser.add_argument("--out", type=Path, required=True, help="where analysis, plans and runs are kept")
    parser.add_argument("--images", type=int, default=10_000, help="training images")
    parser.add_argument("--probe-images", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--student", action="append", choices=STUDENTS, help="only this one (repeatable)")
    parser.add_argument("--part", default="0/1", help="which of how many processes this is")
    parser.add_argument("--report", action="store_true", help="train nothing")
    given = parser.parse_args()
    if not given.report:
        analysis = analysed(given)
        plans = {method: choose_hints(analysis, method=method) for method in ("pursuhint", "stage_ends")}
        for method, plan in plans.items():
            plan.save(given.out / f"plan-{method}.json")
        part, parts = map(int, given.part.split("/"))
        train(entries(given.student or STUDENTS, given.seeds)[part::parts], plans, given)
    print(report(given))


if __name__ == "__main__":
    main()

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

from scipy.stats import t

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
COMPARED = (
    ("kd", "none"),
    ("kd + at, stage ends", "kd"),
    ("kd + at, clusters", "kd"),
    ("kd + at, clusters", "kd + at, stage ends"),
)
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
    """Return two tables in Markdown: accuracies over the seeds that are there, and what each step gains."""
    runs = [run for run in _runs(given.out) if run.last_state()["state"] == "finished"]
    finals = {run.run_settings.name: run.history().facts["final"] for run in runs}
    accuracies = [
        "| student | taught by | seeds | test, last epoch | test, best on validation | last, each seed |",
        "|---|---|---|---|---|---|",
    ]
    gains = [
        "| student | taught by | against | seeds | last epoch, paired by seed |",
        "|---|---|---|---|---|",
    ]
    for student in given.student or STUDENTS:
        name, last = student.removeprefix("zoo:"), {}
        for arm in STUDENTS[student]:
            wanted = [entry for entry in entries([student], given.seeds) if entry.arm == arm]
            found = {entry.seed: finals[entry.name] for entry in wanted if entry.name in finals}
            last[arm] = {seed: 100 * final["test_accuracy_last"] for seed, final in found.items()}
            best = [100 * final["test_accuracy"] for final in found.values()]
            each = ", ".join(f"{accuracy:.2f}" for accuracy in last[arm].values())
            cells = (name, arm, len(found), _spread([*last[arm].values()]), _spread(best), each)
            accuracies.append(f"| {' | '.join(map(str, cells))} |")
        for arm, other in COMPARED:
            if arm in last and other in last:
                seeds = sorted(last[arm].keys() & last[other].keys())
                change = _interval([last[arm][seed] - last[other][seed] for seed in seeds])
                gains.append(f"| {name} | {arm} | {other} | {len(seeds)} | {change} |")
    return "\n".join([*accuracies, "", *gains])


def _spread(values: list[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.2f}" if values else "–"
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"


def _interval(changes: list[float]) -> str:
    """Write a mean with Student's 95 % interval."""
    if len(changes) < 2:
        return f"{changes[0]:+.2f}" if changes else "–"
    half = t.ppf(0.975, len(changes) - 1) * statistics.stdev(changes) / len(changes) ** 0.5
    return f"{statistics.mean(changes):+.2f} ± {half:.2f}"


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

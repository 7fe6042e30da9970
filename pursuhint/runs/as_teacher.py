"""A network that a run has trained, as the teacher of the next one."""

from __future__ import annotations

from pursuhint.analysis import AnalysisSettings
from pursuhint.errors import InputError
from pursuhint.runs.folder import RunFolder


def as_teacher(run: RunFolder) -> AnalysisSettings:
    """Return the settings of the analysis that makes a run's network a teacher.

    A network near chance level is let through: what the check finds are weights that do not fit the network,
    its data or their preprocessing. Here all come from one run, whose record says how good it is.

    Args:
        run: a finished one.

    Raises:
        InputError: the run has no network yet.
    """
    if not run.student.is_file():
        state = run.last_state()["state"]
        raise InputError(f"run `{run.id}` is {state} and has no network yet; wait until it has finished")
    settings = run.run_settings
    return AnalysisSettings(
        teacher=settings.student,
        weights=str(run.student),
        data=settings.data,
        preprocess=settings.preprocess,
        allow_weak_teacher=True,
    )

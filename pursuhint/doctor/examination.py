"""Every look that the doctor takes, and the worst that it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pursuhint.doctor import machine, work
from pursuhint.doctor.finding import Finding, Level
from pursuhint.errors import PursuhintError

LOOKS = {
    "versions": machine.versions,
    "devices": machine.devices,
    "memory": machine.memory,
    "disk": machine.disk,
    "data folder": machine.write_access,
    "runs": work.runs,
    "left behind": work.left_behind,
    "processes": work.processes,
    "tracker": work.tracker,
}
LEVELS: tuple[Level, ...] = ("ok", "warning", "problem")


def examine() -> Iterator[Finding]:
    """Take every look, one after the other; one that fails is a problem of its own and ends no other.

    Yields:
        A finding for each, in the order of `LOOKS`.
    """
    for name, look in LOOKS.items():
        try:
            yield look()
        except (PursuhintError, OSError, ImportError, RuntimeError) as error:
            advice = "call `pursuhint doctor` again; report it when it stays"
            yield Finding(name, "problem", f"could not be looked at: {error}", advice)


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level among findings; ``ok`` when there are none.

    Example:
        >>> worst([Finding("memory", "ok", ""), Finding("disk", "warning", "")])
        'warning'
    """
    return max((one.level for one in findings), key=LEVELS.index, default="ok")

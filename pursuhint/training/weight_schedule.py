"""How the weight of a term changes during a run; no torch here."""

from __future__ import annotations

from collections.abc import Mapping

from pursuhint.training.loss_names import term_of

KNOWN = "`constant`, `decay` or `warmup:EPOCHS`"


def weight_factor(schedule: str, epoch: float, epochs: int) -> float:
    """Return what the settled weight of a term is multiplied by.

    Args:
        schedule: ``constant``: 1 all the time; ``decay``: in a line from 1 to 0 at the end of the run;
            ``warmup:E``: in a line from 0 to 1 over the first E epochs.
        epoch: from 0 to `epochs`, fractional within an epoch.
        epochs: length of the run.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: the schedule is not one of these.

    Example:
        >>> [weight_factor("decay", epoch, 4) for epoch in (0, 1, 4)]
        [1.0, 0.75, 0.0]
        >>> [weight_factor("warmup:20", epoch, 240) for epoch in (0, 5, 20, 100)]
        [0.0, 0.25, 1.0, 1.0]
    """
    if schedule == "constant":
        return 1.0
    if schedule == "decay":
        return max(0.0, 1.0 - epoch / epochs)
    return min(1.0, epoch / warmup_epochs(schedule))


def warmup_epochs(schedule: str) -> float:
    """Return the length of a warm-up; 0 for the other schedules.

    Raises:
        ValueError: this is no schedule.

    Example:
        >>> warmup_epochs("warmup:20"), warmup_epochs("decay")
        (20.0, 0.0)
    """
    if schedule in ("constant", "decay"):
        return 0.0
    kind, _, length = schedule.partition(":")
    try:
        epochs = float(length)
    except ValueError:
        epochs = 0.0
    if kind != "warmup" or not 0 < epochs < float("inf"):
        raise ValueError(f"a weight's schedule is {KNOWN}, such as `warmup:20`")
    return epochs


def weights_at(
    weights: Mapping[str, float], schedules: Mapping[str, str], epoch: float, epochs: int
) -> dict[str, float]:
    """Return the weights in force.

    Args:
        weights: part -> settled weight.
        schedules: term -> schedule; a term that is left out stays constant.
        epoch: fractional.
        epochs: length of the run.

    Returns:
        Part -> weight.

    Example:
        >>> weights_at({"cls": 1.0, "hint:at": 50.0, "hint:crd": 2.0}, {"hint": "decay"}, 3, 4)
        {'cls': 1.0, 'hint:at': 12.5, 'hint:crd': 0.5}
    """
    return {
        part: weight * weight_factor(schedules.get(term_of(part), "constant"), epoch, epochs)
        for part, weight in weights.items()
    }

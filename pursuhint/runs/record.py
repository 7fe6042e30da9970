"""What a run has recorded as tables: all steps, and a row an epoch."""

from __future__ import annotations

import numpy as np

from pursuhint.runs.history import History


def step_table(history: History) -> dict[str, np.ndarray]:
    """Return the logged steps, column by column.

    Args:
        history: of the run.

    Returns:
        Name -> values, shape (n_steps,): ``epoch``, ``step``, ``total``, ``learning_rate``, and ``weighted``
        and ``raw`` followed by the name of a term or loss.
    """
    steps = history.steps
    table = {name: steps.column(name) for name in ("epoch", "step", "total", "learning_rate")}
    for kind in ("weighted", "raw"):
        table |= {f"{kind} {name}": steps.column(kind, name) for name in steps.names(kind)}
    return table


def epoch_rows(history: History) -> list[dict[str, float]]:
    """Return a row for each finished epoch: how well the student did, and the losses of its last step."""
    steps, epochs = history.steps, history.epochs
    ends = epochs.column("epoch")
    last = np.searchsorted(steps.column("epoch"), ends + 1e-9) - 1
    columns = {name: epochs.column(name) for name in ("validation_accuracy", "validation_cross_entropy")}
    if len(steps):
        columns["total"] = steps.column("total")[last]
        columns |= {f"L_{term}": steps.column("weighted", term)[last] for term in steps.names("weighted")}
    return [
        {"epoch": float(end)} | {name: float(values[row]) for name, values in columns.items()}
        for row, end in enumerate(ends)
    ]

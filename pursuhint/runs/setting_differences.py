"""What distinguishes runs: only the settings that differ, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NO_CHOICE = ("teacher_hash",)
"""What follows from another setting and says nothing to a reader."""


def setting_differences(tables: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the settings that are not the same in all runs.

    Args:
        tables: of each run, see `pursuhint.runs.digest.settings_table`.

    Returns:
        Setting -> its value in each run, None where a run has no such setting.

    Example:
        >>> setting_differences([{"seed": 0, "epochs": 3}, {"seed": 1, "epochs": 3, "metric": "r2_cca"}])
        {'seed': [0, 1], 'metric': [None, 'r2_cca']}
    """
    names = dict.fromkeys(name for table in tables for name in table if name not in NO_CHOICE)
    columns = {name: [table.get(name) for table in tables] for name in names}
    return {name: values for name, values in columns.items() if any(one != values[0] for one in values)}

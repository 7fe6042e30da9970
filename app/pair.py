"""The card that explains one pair of layers: what they are, how alike by each metric, and how surely."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from app import downloads, state
from app.bound import bound
from app.chrome import card, count
from app.words import plain
from pursuhint.layers import Layer
from pursuhint.pair_facts import PairFacts, Reading
from pursuhint.similarity import METRICS, LayerNote
from pursuhint.stages import shape_in_words

COLUMNS = {
    "metric": st.column_config.TextColumn(help="The file also says what each is blind to."),
    "similarity": st.column_config.NumberColumn(format="%.3f"),
    "unrelated layers": st.column_config.NumberColumn(
        format="%.3f", help="What two layers of these ranks score by chance."
    ),
}
"""What the table shows; its file holds more."""
Side = tuple[str, Layer | None, LayerNote | None]
"""A layer as a card shows it: whose it is, what it is, how far its row can be trusted."""


def picked(key: str) -> dict[str, object]:
    """Return what lets a click on a cell of a figure choose the pair."""

    def click() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            row, column = points[0]["customdata"]
            state.get().compare(pair=(str(row), str(column)))

    return {"on_select": click, "selection_mode": "points"}


def chosen(rows: Sequence[str], columns: Sequence[str], first: tuple[str, str]) -> tuple[str, str]:
    """Return the pair that is explained: the one that was picked, or the one to begin with."""
    pair = state.get().beside.pair
    return pair if pair and pair[0] in rows and pair[1] in columns else first


def explain(
    rows: Sequence[str],
    columns: Sequence[str],
    pair: tuple[str, str],
    facts: Callable[[], PairFacts],
    sides: tuple[Side, Side],
    name: str,
    *,
    other: str = "",
) -> None:
    """Draw the card.

    Args:
        rows: layers to choose the first of the pair from.
        columns: layers to choose the second from.
        pair: the two that are explained.
        facts: gathers what is known of them.
        sides: what either layer is.
        name: of the files.
        other: what another matrix says of the pair.
    """
    with card("Why this value?", "click a cell, or choose two layers", fill=True):
        left, right = st.columns(2)
        for column, known, place in ((left, rows, 0), (right, columns, 1)):
            label = ("Layer of the row", "Layer of the column")[place]
            write = lambda value, place=place: state.get().compare(  # noqa: E731
                pair=(value, pair[1]) if place == 0 else (pair[0], value)
            )
            column.selectbox(label, list(known), **bound(f"pair-{place}", pair[place], write))
        found = facts()
        st.markdown(f"**{plain(found.sentence)}** {other}")
        for column, side, alternatives in zip((left, right), sides, found.alternatives, strict=True):
            column.caption("  \n".join(_about(side, alternatives)))
        table = _table(found)
        st.dataframe(
            table,
            hide_index=True,
            height="content",
            column_order=list(COLUMNS),  # the rest is too wide for the card
            column_config=COLUMNS,
            key="pair-metrics",
        )
        st.caption(" ".join(_sure(found)))
        downloads.offer("pair", f"{name}-{pair[0]}-{pair[1]}", table=table)


def _about(side: Side, alternatives: Sequence[tuple[str, float]]) -> list[str]:
    """Say what a layer is, line by line."""
    whose, layer, note = side
    lines = []
    if layer:
        size = f"{count(layer.parameters)} parameters"
        lines.append(f"{plain(whose + layer.type)} · {shape_in_words(layer.shape)} · {size}")
    if note:
        lines.append(f"{note.status} · {note.samples_per_feature:.3g} images per feature (N / width)")
    most = ", ".join(f"{plain(name)} {value:.2f}" for name, value in alternatives)
    return [*lines, f"most alike: {most}"]


def _table(facts: PairFacts) -> pd.DataFrame:
    readings = [facts.reading, *facts.others]
    return pd.DataFrame(
        {
            "metric": [METRICS[one.metric].title for one in readings],
            "similarity": [one.value for one in readings],
            "95 % interval": [_interval(one) for one in readings],
            "unrelated layers": [one.floor or 0.0 for one in readings],
            "blind to": [", ".join(sorted(METRICS[one.metric].invariances)) for one in readings],
        }
    )


def _interval(reading: Reading) -> str:
    return "{:.3f} to {:.3f}".format(*reading.interval) if reading.interval else ""


def _sure(facts: PairFacts) -> list[str]:
    """Say how far the value can be trusted."""
    said = [f"{_first_upper(facts.note)}."]
    if facts.reading.interval:
        low, high = facts.reading.interval
        said.insert(0, f"On other images the value would lie between {low:.3f} and {high:.3f} (95 %).")
    return said


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")

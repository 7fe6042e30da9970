"""Files that a page hands out; each is made when its button is pressed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import streamlit as st

from pursuhint.plan import HintPlan
from pursuhint.runs import RunFolder
from pursuhint.similarity import SimilarityMatrix


def matrix(matrix: SimilarityMatrix, name: str) -> None:
    """Offer a matrix as text and as the file that `pursuhint similarity` writes."""
    rows = pd.DataFrame(matrix.values, index=matrix.layers, columns=matrix.layers)
    st.download_button(
        "CSV", rows.to_csv, f"{name}.csv", "text/csv", on_click="ignore", icon=":material/download:"
    )
    st.download_button(
        "NPZ",
        lambda: _written(matrix),
        f"{name}.npz",
        "application/zip",
        on_click="ignore",
        icon=":material/download:",
    )


def _written(matrix: SimilarityMatrix) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.npz"
        matrix.save(path)
        return path.read_bytes()


def plan(plan: HintPlan) -> None:
    """Offer a plan as the file that `pursuhint distill --plan` reads."""
    st.download_button(
        "Plan",
        lambda: plan.model_dump_json(indent=2),
        "plan.json",
        "application/json",
        on_click="ignore",
        icon=":material/download:",
        help="The hint plan as JSON, for `pursuhint distill --plan`.",
    )


def student(run: RunFolder) -> None:
    """Offer the trained student."""
    st.download_button(
        "Download student",
        run.student.read_bytes,
        f"{run.id}.safetensors",
        "application/octet-stream",
        on_click="ignore",
        type="primary",
        icon=":material/download:",
    )

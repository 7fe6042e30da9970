"""The examples in the app's docstrings hold, and the app keeps its place: no torch, no file formats."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

from app.words import plain, prose

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "app").rglob("*.py")
    if path.stem not in ("__init__", "main")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda path: path.stem)
def test_pages_stay_thin(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) < 100
    heavy = ("torch", "numpy", "sklearn", "umap", "json", "scipy")
    assert not [line for line in lines if line.startswith(tuple(f"import {name}" for name in heavy))]


@pytest.mark.parametrize("path", sorted((ROOT / "pursuhint").rglob("*.py")), ids=lambda path: path.stem)
def test_the_library_never_imports_the_app(path):
    text = path.read_text(encoding="utf-8")
    assert "import streamlit" not in text and "from app" not in text


@pytest.mark.parametrize("name", ["a:heart:b", ":material/bolt:", ":+1:", "x :streamlit: y"])
def test_no_name_becomes_a_picture(name):
    for written in (plain(name), prose(name)):
        assert not re.search(r":[\w+/-]+:", written)
        assert written.replace("\u2060", "").replace("\\", "") == name


def test_what_is_quoted_in_a_sentence_stays_code_and_the_rest_is_text():
    said = prose("unknown layer `a_b*`: *no* [x](y)\nsee `c` and <d>")
    assert said == "unknown layer `a_b*`: \\*no\\* \\[x](y)  \nsee `c` and \\<d>"
    assert prose("`a``b` <i>`") == "`a``b` \\<i>\\`"

"""The app's configuration: private to this machine, and the same colours as the library's figures."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from streamlit import config as streamlit_config

from pursuhint.view import COLOURS

CONFIG = tomllib.loads((Path(__file__).parents[1] / "app/.streamlit/config.toml").read_text(encoding="utf-8"))


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2) of a colour such as ``#4b47c4``, 0 to 1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio (WCAG 2) of two colours, 1 to 21."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_no_forced_collection_holds_back_a_page():
    assert CONFIG["runner"]["postScriptGC"] is False
    assert streamlit_config.get_option("runner.postScriptGC") is not None, "Streamlit calls it otherwise now"


def test_nothing_leaves_this_machine():
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["showEmailPrompt"] is False


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_categorical_colours_are_the_clusters_of_the_library(mode):
    assert CONFIG["theme"][mode]["chartCategoricalColors"] == list(COLOURS.values())


@pytest.mark.parametrize(("mode", "rises"), [("light", False), ("dark", True)])
def test_sequential_colours_run_away_from_the_page(mode, rises):
    theme = CONFIG["theme"][mode]
    steps = [luminance(colour) for colour in theme["chartSequentialColors"]]
    assert len(steps) == 10
    assert steps == sorted(steps, reverse=not rises)
    assert contrast(theme["chartSequentialColors"][-1], theme["backgroundColor"]) > 10


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_is_readable(mode):
    theme = CONFIG["theme"][mode]
    for ground in (
        theme["backgroundColor"],
        theme["secondaryBackgroundColor"],
        theme["sidebar"]["backgroundColor"],
    ):
        assert contrast(theme["textColor"], ground) > 7
        assert contrast(theme["primaryColor"], ground) > 4.5
    assert all(contrast(c, theme["backgroundColor"]) > 2 for c in theme["chartCategoricalColors"])

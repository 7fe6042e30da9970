"""The Similarity page as a person uses it, and an analysis that is ended before its time."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import psutil
from PIL import Image

from pursuhint.analysis import AnalysisFolder

ENDS_S = 5
SVG = "{http://www.w3.org/2000/svg}"


def cell(page, key: str, row: int, column: int) -> tuple[float, float]:
    """Return where the middle of a cell is on the screen."""
    page.locator(f".st-key-{key}").scroll_into_view_if_needed()
    box = page.locator(f".st-key-{key} .heatmaplayer image").first.bounding_box()
    return box["x"] + (column + 0.5) * box["width"] / 27, box["y"] + (row + 0.5) * box["height"] / 27


def save(page, kind: str) -> bytes:
    """Press an entry of the open menu and return the file."""
    with page.expect_download() as download:
        page.get_by_role("button", name=kind, exact=True).click()
    assert download.value.suggested_filename == f"digits-resnet56-r2_cca.{kind.lower()}"
    return download.value.path().read_bytes()


def test_two_metrics_a_pair_and_the_files(open_page, visit, idle, screenshot):
    page = open_page(height=1400)
    visit(page, "/similarity")
    page.locator(".st-key-heatmap .heatmaplayer image").first.wait_for()
    page.get_by_text("two side by side", exact=True).click()
    page.locator(".st-key-heatmap-difference .heatmaplayer image").first.wait_for()
    page.get_by_text("rank correlation of the pairs").wait_for()
    idle(page)
    page.mouse.click(*cell(page, "heatmap", 3, 20))
    page.get_by_text("layer1.3 and layer3.2 are 0.576 alike").wait_for()
    idle(page)
    for part, layer in (("row", "layer1.3"), ("column", "layer3.2")):
        box = page.get_by_role("combobox", name=f"Layer of the {part}")
        assert box.input_value() == layer
    screenshot(page, "similarity-two")

    page.locator(".st-key-files-heatmap button").first.click()
    values = pd.read_csv(io.BytesIO(save(page, "CSV")), index_col=0)
    assert values.loc["layer1.3", "layer3.2"].round(3) == 0.576
    with np.load(io.BytesIO(save(page, "NPZ"))) as arrays:
        np.testing.assert_allclose(arrays["similarity"], values.to_numpy())
    vector = ElementTree.fromstring(save(page, "SVG"))
    words = {"".join(text.itertext()) for text in vector.iter(f"{SVG}text")}
    assert vector.tag == f"{SVG}svg" and {"layer1.0", "layer3.8"} <= words
    picture = Image.open(io.BytesIO(save(page, "PNG")))
    assert picture.format == "PNG" and min(picture.size) > 600
    pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert (pixels[0] == 255).all() and len(np.unique(pixels, axis=0)) > 100  # on white, and not empty
    text = save(page, "HTML").decode()
    assert "Plotly.newPlot" in text and len(text) > 3_000_000 and 'src="http' not in text  # opens offline


def test_an_analysis_that_is_cancelled_ends_and_can_begin_again(page, visit, app):
    visit(page)
    page.get_by_role("textbox", name="Network").fill("builtin:digits-resnet56")
    samples = page.get_by_role("spinbutton", name="Probe images")
    samples.fill("350")
    samples.press("Tab")
    page.get_by_role("button", name="Analyse", exact=True).click()
    page.get_by_text("Loading the network").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Analyse again").wait_for()
    (folder,) = [
        one
        for path in (app.home / "analyses").iterdir()
        if (one := AnalysisFolder(path)).analysis_settings.samples == 350
    ]
    assert folder.last_state()["state"] == "stopped" and not folder.is_ready
    workers = [
        one for one in psutil.process_iter(["cmdline"]) if str(folder.path) in (one.info["cmdline"] or [])
    ]
    _, left = psutil.wait_procs(workers, timeout=ENDS_S)  # it says that it stopped a moment before it ends
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in left)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Analyse again").wait_for(state="detached")

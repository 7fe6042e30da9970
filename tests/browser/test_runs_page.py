"""A run as a person watches it: zoom, stop, resume, overlay, rename, download, delete."""

from __future__ import annotations

import time

import pytest

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder
from pursuhint.hints import choose_hints
from pursuhint.jobs.stopping import stop
from pursuhint.models import build_model
from pursuhint.runs import RunFolder, create_run
from pursuhint.training.settings import make_settings

TRAINING_MS = 180_000


@pytest.fixture
def new_run(app):
    """Start a small distillation in the app: ``new_run(name="a", epochs=1)``; it ends with the test."""
    plan, made = choose_hints(AnalysisFolder(BUILTIN_ANALYSIS)), []

    def make(**fields) -> RunFolder:
        given = {"kind": "distill", "plan": plan, "student": "zoo:resnet8?width=0.25", "data": "digits"}
        given |= {"preprocess": "digits", "hint_loss": "at", "logit_loss": "kd", "limit": 128, "threads": 1}
        run = create_run(make_settings(**given | fields), folder=app.home / "runs")
        made.append(run)
        run.launch(now=True)  # both train at the same time
        return run

    yield make
    for run in made:
        if run.path.is_dir():
            stop(run, grace=1.0)
            run.delete()


def drag(page, panel: str, begin: float, end: float) -> str:
    """Drag over a part of a panel's width and return what is looked at then."""
    box = page.locator(f"[data-panel={panel}] .plot > svg").bounding_box()
    places = [box["x"] + 44 + share * (box["width"] - 56) for share in (begin, end)]
    page.mouse.move(places[0], box["y"] + 30)
    page.mouse.down()
    page.mouse.move(places[1], box["y"] + 40, steps=3)
    page.mouse.up()
    return page.locator(".curves").get_attribute("data-view")


def test_a_run_is_watched_and_compared(page, open_page, visit, idle, app, new_run, tmp_path, screenshot):
    short, long = new_run(name="short", epochs=1), new_run(name="long", epochs=100_000)
    visit(page, f"/runs?run={long.id}")
    page.locator("[data-panel=accuracy] .dot").first.wait_for(timeout=TRAINING_MS)
    assert page.locator("[data-panel^=hint-]").count() == 3

    curves = page.locator(".curves")
    page.locator("[data-panel=terms] .plot > svg").evaluate("(svg) => { svg.kept = true; }")
    view = drag(page, "terms", 0.0, 0.5)
    low, high = map(float, view.split(","))
    assert (low, high) == pytest.approx((0, 50_000), abs=2_000)
    steps, draws = len(long.history().steps), int(curves.get_attribute("data-draws"))
    end = time.monotonic() + TRAINING_MS / 1000
    while int(curves.get_attribute("data-draws")) < draws + 3 and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert len(long.history().steps) > steps
    assert curves.get_attribute("data-view") == view, "the zoom stays while data arrive"
    assert page.locator("[data-panel=terms] .plot > svg").evaluate("(svg) => svg.kept"), "nothing is rebuilt"
    screenshot(page, "runs-zoomed")

    second = open_page()  # another visitor, by the address
    visit(second, f"/runs?run={long.id}")
    second.locator("[data-panel=terms] .dot").first.wait_for()
    assert second.locator(".curves").get_attribute("data-view") is None
    second.locator(".st-key-run-stop button").click()
    second.get_by_role("button", name="Resume", exact=True).wait_for(timeout=TRAINING_MS)
    second.close()  # not before: the click would be lost with the page
    page.get_by_role("button", name="Resume", exact=True).wait_for(timeout=TRAINING_MS)
    assert curves.get_attribute("data-view") == view
    page.get_by_role("button", name="Show all").click()
    page.locator(".curves:not([data-view])").wait_for()
    page.get_by_role("button", name="Resume", exact=True).click()
    page.locator(".st-key-run-stop button").click()
    page.get_by_role("button", name="Resume", exact=True).wait_for(timeout=TRAINING_MS)
    idle(page)

    table = page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    rows = sorted((app.home / "runs").iterdir(), reverse=True)
    box, row = table.bounding_box(), [path.name for path in rows].index(short.id)
    page.mouse.click(box["x"] + 18, box["y"] + 35 * (row + 1) + 17)
    page.wait_for_url(f"**/runs?run={long.id}&with={short.id}")
    page.locator("[data-panel=total]").wait_for()
    assert page.locator("[data-panel=accuracy] .legend .name").all_inner_texts() == ["long", "short"]
    page.get_by_text("What differs").wait_for()
    screenshot(page, "runs-overlaid")

    visit(page, f"/runs?run={short.id}")
    page.locator(".report .classes tr").nth(10).wait_for(timeout=TRAINING_MS)  # a head and ten digits
    page.get_by_role("button", name="Name").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("kept for good")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="kept for good").wait_for()
    page.locator("td", has_text="kept for good").wait_for(state="attached")  # in the table of runs, too
    with page.expect_download() as download:
        page.get_by_role("button", name="Download student").click()
    file = tmp_path / "student.safetensors"
    download.value.save_as(file)
    student = build_model("zoo:resnet8?width=0.25", classes=10, weights=file)
    assert student.report is not None and short.labels.name == "kept for good"

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete for good").click()
    page.get_by_role("heading", name="kept for good").wait_for(state="detached")
    assert not short.path.exists() and long.path.is_dir()

"""More than one tab at a time, and a run that dies while a page watches it."""

from __future__ import annotations

import psutil

from app.access.token import VARIABLE
from pursuhint.runs import create_run
from pursuhint.training.settings import make_settings
from tools.served import serve

TOKEN = "right-token-of-the-tests"


def badges(page) -> str:
    """Return the words of the badge that names the first hint point and of those after it."""
    line = page.locator("[data-testid=stMain] p:has(.stMarkdownBadge)", has_text="HP1")
    return line.inner_text()


def test_two_visitors_choose_for_themselves_and_a_second_tab_takes_the_work_over(open_page, visit, idle):
    mine, other = open_page(), open_page()
    for page in (mine, other):
        visit(page, "/hint_points")
        page.locator(".explorer").get_by_role("option").nth(26).wait_for()
        idle(page)
    automatic = badges(other)
    mine.locator(".explorer").get_by_role("option").nth(4).click()
    other.locator(".explorer").get_by_role("option").nth(20).click()
    mine.keyboard.press("Enter")
    mine.get_by_text("by hand: + layer1.4").wait_for()
    other.locator(".explorer .facts h3", has_text="layer3.2").wait_for()
    idle(other)
    other.get_by_test_id("stSidebarNav").get_by_role("link", name="Runs").click()
    other.locator(".explorer").wait_for(state="detached")
    other.get_by_test_id("stSidebarNav").get_by_role("link", name="Hint points").click()
    other.locator(".explorer .facts h3", has_text="layer3.2").wait_for()  # selected before, and kept
    assert badges(other) == automatic and other.get_by_text("by hand:").count() == 0
    mine.wait_for_url("**draft=*")
    second = mine.context.new_page()
    second.goto(mine.url)
    second.get_by_text("by hand: + layer1.4").wait_for()
    assert badges(second) == badges(mine) != automatic


def test_a_run_that_dies_is_told_of_and_can_be_resumed(page, visit, app, monkeypatch, screenshot):
    monkeypatch.setenv("PURSUHINT_HOME", str(app.home))
    settings = {"student": "zoo:resnet8?width=0.25", "data": "digits", "preprocess": "digits", "threads": 1}
    run = create_run(make_settings(kind="train", name="<b>doomed</b> *run*", epochs=500, **settings))
    worker = psutil.Process(run.launch())
    visit(page, f"/runs?run={run.id}")
    page.get_by_role("heading", name="<b>doomed</b> *run*", exact=True).wait_for()
    page.locator(".st-key-run-stop").wait_for()  # by name it could be Streamlit's own, in the header
    worker.kill()
    page.get_by_test_id("stAlert").filter(has_text="lost: ").wait_for()
    page.locator(".st-key-run-resume").wait_for()
    screenshot(page, "run-lost")
    run.delete()


def test_whoever_signs_out_sees_nothing_more(browser, tmp_path, idle):
    server = serve(tmp_path, environment={VARIABLE: TOKEN})
    context = browser.new_context(base_url=server.url)
    try:
        page = context.new_page()
        page.goto(f"/?token={TOKEN}")
        idle(page)
        page.get_by_role("link", name="Sign out").click()
        page.get_by_label("Token").wait_for()
        assert page.goto("/runs").status == 401
    finally:
        context.close()
        server.stop()

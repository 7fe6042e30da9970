"""The lesson as a reader walks it: every step, every control, every answer, and a student that begins."""

from __future__ import annotations

from app.lesson.article import LESSON
from app.lesson.reading import STEPS

TOP = "document.querySelector('[data-testid=stMain]').scrollTop === 0"


def change_the_figure(page, step: int) -> None:
    """Move the one control of a step, by the keyboard where it is a slider."""
    if step == 3:
        page.locator(".st-key-lesson-clusters").get_by_role("radio", name="3", exact=True).click()
    elif step == 7:
        page.locator(".st-key-lesson-hints").get_by_role("button", name="2.6", exact=True).click()
    else:
        key = "ArrowLeft" if step == 2 else "ArrowRight"
        page.locator(".st-key-lesson").get_by_role("slider").press(key)


def test_the_whole_lesson(page, visit, idle, screenshot):
    visit(page, "/lesson?explain=1")
    drawn = page.locator(".st-key-lesson .js-plotly-plot .main-svg").first
    for number, step in enumerate(LESSON, start=1):
        page.get_by_role("heading", level=1, name=step.title, exact=True).wait_for()
        page.wait_for_url(f"**/lesson?*step={number}*")
        page.wait_for_function(TOP)
        idle(page)
        drawn.wait_for()
        before = drawn.inner_html()
        change_the_figure(page, number)
        page.wait_for_function(
            "before => document.querySelector('.js-plotly-plot .main-svg')?.innerHTML !== before", arg=before
        )
        page.get_by_role("button", name="Show the answer").click()
        page.locator(".st-key-lesson-answer").wait_for()
        idle(page)
        assert page.locator(".katex-error").count() == 0
        if number in (3, STEPS):
            screenshot(page, f"lesson-{number}")
        if number < STEPS:
            page.locator(".st-key-lesson-next button").click()
    page.get_by_role("button", name="Start distillation").click()
    page.wait_for_url("**/runs?*run=*")
    page.locator(".st-key-run-stop button").click()  # to its end goes the run of the main job

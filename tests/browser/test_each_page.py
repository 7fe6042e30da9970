"""Each page by its address, on a wide and on a narrow screen, in light and in dark colours."""

from __future__ import annotations

import pytest

PAGES = {
    "teacher": ("/", "Teacher"),
    "similarity": ("/similarity", "Similarity"),
    "what-a-layer-sees": ("/what_a_layer_sees", "What a layer sees"),
    "hint-points": ("/hint_points", "Hint points"),
    "distill": ("/distill", "Distill"),
    "runs": ("/runs", None),
    "lesson": ("/lesson?step=7", "Your turn"),
}
WIDER = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    return main.scrollWidth - main.clientWidth;
}"""


@pytest.mark.parametrize(("dark", "width"), [(False, 1440), (True, 390)], ids=["light-wide", "dark-narrow"])
def test_opens_by_its_address_and_fits(open_page, visit, screenshot, dark, width):
    page = open_page(dark=dark, width=width)
    for name, (address, title) in PAGES.items():
        visit(page, address)
        heading = page.get_by_test_id("stMain").get_by_role("heading", level=1)
        heading.wait_for()
        assert title is None or heading.inner_text() == title
        assert page.get_by_test_id("stAlert").count() == 0
        page.wait_for_timeout(700)  # the figures
        assert page.evaluate(WIDER) <= 0, f"{name} is wider than the screen"
        screenshot(page, f"{name}-{'dark' if dark else 'light'}-{width}")


def test_the_first_visitor_sees_the_teacher_analysed(page, visit):
    visit(page)
    for value in ("99.60 %", "0.85 M", "27", "1,000"):
        page.get_by_test_id("stMetricValue").get_by_text(value, exact=True).wait_for()
    page.get_by_test_id("stSidebar").get_by_text("digits-resnet56").wait_for()


def test_a_phone_shows_the_hint_points_before_any_figure_and_no_empty_space(open_page, visit):
    page = open_page(width=390)
    visit(page, "/hint_points")
    badges = page.locator("[data-testid=stMain] .stMarkdownBadge", has_text="HP1").bounding_box()
    drawing = page.locator(".explorer").bounding_box()
    assert badges["y"] + badges["height"] < drawing["y"]
    visit(page, "/similarity")
    page.locator(".st-key-heatmap .heatmaplayer image").first.wait_for()
    heatmap = page.locator(".st-key-heatmap").bounding_box()
    assert 0.8 < heatmap["height"] / heatmap["width"] < 1.3

"""What a layer sees, as a person uses it: a walk by slider, keys and button, a click on an image."""

from __future__ import annotations

import re
import shutil
from urllib.parse import quote

from pursuhint.analysis import BUILTIN_ANALYSIS, AnalysisFolder

PIXELS = """canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum = (sum * 31 + data[at] + data[at + 3]) % 1000000007;
    return sum;
}"""


def test_images_move_through_the_layers_and_one_is_looked_at(open_page, visit, idle, screenshot):
    page = open_page(height=1100)
    page.emulate_media(reduced_motion="reduce")
    visit(page, "/what_a_layer_sees")
    drawing = page.locator(".sees")
    title, slider, canvas = (
        drawing.locator(part) for part in (".plot-card h3", "input[type=range]", "canvas")
    )
    title.get_by_text("layer1.0", exact=True).wait_for()
    drawing.get_by_role("img", name="mean activation at layer1.0").wait_for()
    first = canvas.evaluate(PIXELS)

    near = drawing.locator(".near .tile").first
    spot = near.get_attribute("data-image")
    near.click()  # it was looked at together with the first image
    drawing.locator(".about-image h3").get_by_text(f"Image {spot}", exact=True).wait_for()
    drawing.get_by_text("as the teacher gets it").wait_for()

    slider.focus()
    page.keyboard.press("End")
    title.get_by_text("layer3.8", exact=True).wait_for()
    drawing.get_by_role("img", name="mean activation at layer3.8").wait_for()  # the server heard of it
    idle(page)
    page.reload()
    title.get_by_text("layer3.8", exact=True).wait_for()
    drawing.locator(".about-image h3").get_by_text(f"Image {spot}", exact=True).wait_for()
    drawing.get_by_role("img", name="mean activation at layer3.8").wait_for()  # the server heard of it again
    assert canvas.evaluate(PIXELS) != first
    slider.focus()
    page.keyboard.press("ArrowLeft")
    title.get_by_text("layer3.7", exact=True).wait_for()
    page.keyboard.press("End")
    drawing.get_by_role("img", name="mean activation at layer3.8").wait_for()

    drawing.get_by_role("button", name="Play").click()  # at the end: from the beginning
    title.get_by_text(re.compile(r"^layer1\.[2-4]$")).wait_for()
    drawing.get_by_role("button", name="Pause").click()
    drawing.get_by_role("button", name="Play").wait_for()
    drawing.get_by_role("button", name="HP1", exact=True).click()
    title.get_by_text("layer1.1", exact=True).wait_for()
    drawing.get_by_role("img", name="mean activation at layer1.1").wait_for()

    box = canvas.bounding_box()
    for step in range(400):  # look for a point somewhere on the map
        x, y = (
            box["x"] + box["width"] * (step % 20 + 0.5) / 20,
            box["y"] + box["height"] * (step // 20 + 0.5) / 20,
        )
        page.mouse.move(x, y)
        if drawing.locator(".tip").is_visible():
            break
    assert drawing.locator(".tip .picture").is_visible()
    page.mouse.click(x, y)
    drawing.locator(".about-image h3").get_by_text(f"Image {spot}", exact=True).wait_for(state="detached")
    drawing.get_by_role("button", name="right or wrong").click()
    drawing.get_by_role("button", name="wrong (0)").wait_for()
    idle(page)
    screenshot(page, "sees-walked")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Hint points").click()
    page.locator(".explorer .facts h3").get_by_text(
        "layer1.1", exact=True
    ).wait_for()  # one layer on all pages


def test_a_page_that_is_left_while_it_plays_remembers_where_it_was(page, visit):
    visit(page, "/what_a_layer_sees")
    title = page.locator(".sees .plot-card h3")
    title.get_by_text("layer1.0", exact=True).wait_for()
    page.get_by_role("button", name="Play").click()
    walked = []
    while "layer2.1" not in walked:
        walked.append(title.inner_text())
        page.wait_for_timeout(50)
    assert walked == sorted(walked)  # no answer of the server's takes it back
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Hint points").click()
    left = page.locator(".explorer .facts h3").get_by_text(re.compile(r"^layer"))
    left.wait_for()
    assert "layer1.5" < left.inner_text() < "layer2.6"


def test_a_missing_map_is_made_while_the_page_watches(page, visit, tmp_path):
    analysis = AnalysisFolder(shutil.copytree(BUILTIN_ANALYSIS, tmp_path / "analysis"))
    maps = analysis.image_maps
    kept = (maps.path / "004.npz").rename(tmp_path / "004.npz")
    obstacle = maps.path / "start.lock"
    obstacle.mkdir()  # no worker can be started
    visit(page, f"/what_a_layer_sees?teacher={quote(str(analysis.path), safe='')}")
    offer = page.get_by_role("button", name="Make the missing maps")
    offer.click()
    page.get_by_test_id("stAlert").get_by_text("cannot write").wait_for()
    obstacle.rmdir()
    offer.click()
    page.get_by_text("Mapping the images").wait_for()
    page.locator(".st-key-cancel-maps").wait_for()
    shutil.copy(kept, maps.path)  # the worker, which is still on its way, would take half a minute over it
    page.locator(".sees canvas").wait_for()
    assert not maps.missing() and page.get_by_test_id("stAlert").count() == 0

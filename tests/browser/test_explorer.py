"""The linked drawing as a person uses it: pointing, clicking, keys, dragging, and what a reload keeps."""

from __future__ import annotations

import json

import pytest

FOCUSED = """() => {
    let found = document.activeElement;
    while (found.shadowRoot) found = found.shadowRoot.activeElement;
    return found.getAttribute("aria-label");
}"""
TURNED_BACK = """async (drawing) => {
    const frame = () => new Promise(requestAnimationFrame);
    let frames = 0;
    for (const [place, order] of ["depth", "dendrogram", "depth", "dendrogram"].entries()) {
        drawing.querySelector(`.cell[data-layer="${9 + place}"]`).click();
        for (const end = performance.now() + 40 * place; performance.now() < end;) await frame();
        drawing.querySelector(`[data-look=order][value=${order}]`).click();
        for (const end = performance.now() + 700; performance.now() < end;) {
            await frame();
            frames += drawing.querySelector("[data-look=order][aria-pressed=true]").value !== order;
        }
    }
    return frames;
}"""
"""Selects a layer, changes the order while the server answers; returns how many frames showed another."""
DRAWN_MS = 250
"""Loose: the machine may be busy. On an idle one 54 layers take less than 20 ms."""


@pytest.fixture
def explorer(visit, idle):
    """Open the page in a tab and return its drawing."""

    def opened(page):
        visit(page, "/hint_points")
        drawing = page.locator(".explorer")
        drawing.get_by_role("option").nth(26).wait_for()
        idle(page)
        return drawing

    return opened


def layers(drawing, kind: str) -> set[str]:
    """Return the numbers of the layers that carry a mark, in whichever view."""
    return {one.get_attribute("data-layer") for one in drawing.locator(f"[data-layer].{kind}").all()}


def cell_of_matrix(drawing, row: int, column: int) -> tuple[float, float]:
    """Return where the middle of a cell is on the screen, in depth order."""
    box = drawing.locator(".cells").bounding_box()
    return box["x"] + (column + 0.5) * box["width"] / 27, box["y"] + (row + 0.5) * box["height"] / 27


def test_pointing_at_a_layer_marks_it_in_every_view_without_the_server(open_page, explorer):
    page = open_page(height=1700)  # all views at once: scrolled, one would lie below the header
    sent: list[bytes | str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    drawing = explorer(page)
    page.wait_for_timeout(300)
    before = len(sent)
    assert before > 0
    for view in (".cell", ".dot", ".swatch", ".leaf"):
        drawing.locator(f'{view}[data-layer="9"]').hover()
        assert layers(drawing, "hot") == {"9"}
        for other in (".cell", ".dot", ".swatch", ".leaf"):
            assert drawing.locator(f"{other}.hot").count() == 1
        assert drawing.locator(".bar.hot.row").get_attribute("visibility") == "visible"
        assert "layer2.0: cluster B" in drawing.locator(".tip").inner_text()
    assert len(sent) == before
    drawing.get_by_role("button", name="depth", exact=True).click()
    page.mouse.move(*cell_of_matrix(drawing, 3, 20))
    assert layers(drawing, "hot") == {"3", "20"}
    assert drawing.locator(".tip").inner_text().startswith("layer1.3 · layer3.2: 0.")
    page.mouse.move(5, 5)
    assert layers(drawing, "hot") == set()
    assert float(drawing.get_attribute("data-drawn")) < DRAWN_MS


def test_a_click_in_each_view_selects(open_page, explorer, idle):
    page = open_page(height=1700)
    drawing = explorer(page)
    title = drawing.locator(".facts h3")
    for view, name in ((".cell", "layer2.5"), (".swatch", "layer1.6"), (".dot", "layer3.0")):
        layer = {"layer2.5": 14, "layer1.6": 6, "layer3.0": 18}[name]
        drawing.locator(f'{view}[data-layer="{layer}"]').click()
        assert title.inner_text() == name and layers(drawing, "picked") == {str(layer)}
    drawing.get_by_role("button", name="depth", exact=True).click()
    page.mouse.click(*cell_of_matrix(drawing, 11, 4))
    assert title.inner_text() == "layer2.2" and "HP2 · centre of B" in drawing.locator(".facts").inner_text()
    drawing.locator(".facts .link").first.click()  # the most similar layer
    assert title.inner_text() == "layer2.3"
    idle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Runs").click()
    drawing.wait_for(state="detached")  # the heading there is the name of a run, once another test made one
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Hint points").click()
    title.get_by_text("layer2.3").wait_for()  # kept while another page was looked at


def test_what_was_done_last_is_kept_when_the_page_is_left_in_the_same_moment(page, explorer, idle):
    drawing = explorer(page)
    leave = page.get_by_test_id("stSidebarNav").get_by_role("link", name="Similarity")
    back = page.get_by_test_id("stSidebarNav").get_by_role("link", name="Hint points")
    drawing.get_by_role("option", name="layer2.5").click()
    drawing.get_by_role("button", name="Add hint point").click()
    reason = drawing.get_by_role("textbox", name="Your reason for layer2.5")
    drawing.get_by_role("option", name="layer2.5, HP").wait_for()
    idle(page)
    reason.click()
    page.keyboard.type("sharp jump")
    leave.click(delay=80)  # as long as a finger takes
    page.get_by_role("heading", name="Similarity", exact=True).wait_for()
    back.click()
    drawing.get_by_role("option", name="layer2.5, HP").wait_for()
    idle(page)
    drawing.get_by_role("option", name="layer2.5, HP").click()
    assert reason.input_value() == "sharp jump"
    reason.click()
    page.keyboard.type(" here")
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").click(delay=80)
    (override,) = json.loads(download.value.path().read_text())["overrides"]
    assert override["why"] == "sharp jump here"


def test_an_answer_to_an_earlier_click_takes_no_later_one_back(page, explorer):
    assert explorer(page).evaluate(TURNED_BACK) == 0


def test_keys_walk_toggle_and_end(page, explorer, idle):
    drawing = explorer(page)
    drawing.get_by_role("option").nth(13).click()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate(FOCUSED) == "layer2.5, cluster B"
    page.get_by_text("Images at layer2.5").wait_for()  # the server heard where the walk ended
    idle(page)
    page.keyboard.press("Enter")
    drawing.get_by_role("option", name="layer2.5, HP3").wait_for()
    assert page.evaluate(FOCUSED).startswith("layer2.5, HP3")  # the focus outlives the redrawing
    drawing.get_by_role("textbox", name="Your reason for layer2.5").fill("<b>sharp</b> jump")
    page.keyboard.press("Enter")
    idle(page)
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").click()
    (override,) = json.loads(download.value.path().read_text())["overrides"]
    assert (override["layer"], override["why"]) == ("layer2.5", "<b>sharp</b> jump")
    drawing.get_by_role("option").nth(14).focus()
    page.keyboard.press("End")
    assert page.evaluate(FOCUSED).startswith("layer3.8")
    page.keyboard.press("Escape")
    assert layers(drawing, "picked") == set()
    assert drawing.locator(".facts h3").inner_text() == "4 hint points for 27 layers"
    idle(page)


def test_dragging_the_cut_changes_k_and_a_reload_keeps_the_draft(page, explorer, idle):
    drawing = explorer(page)
    handle = drawing.locator(".cut circle").bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 14, steps=4)
    shown = drawing.get_by_role("slider").get_attribute("aria-valuenow")
    assert int(shown) > 3 and page.get_by_role("spinbutton", name="Clusters K").input_value() == "3"
    page.mouse.up()
    page.wait_for_function("k => document.querySelector('input[type=number]').value === k", arg=shown)
    idle(page)
    drawing.get_by_role("slider").focus()
    page.keyboard.press("ArrowDown")
    fewer = str(int(shown) - 1)
    page.wait_for_function("k => document.querySelector('input[type=number]').value === k", arg=fewer)
    idle(page)
    drawing.get_by_role("option").nth(0).click()
    drawing.get_by_role("button", name="hint point").first.click()
    page.get_by_text("by hand:").wait_for()
    idle(page)
    chosen = [one.get_attribute("aria-label") for one in drawing.locator(".cell.hint").all()]
    address = page.url
    assert "draft=" in address
    page.reload()
    page.get_by_text("by hand:").wait_for()
    drawing.get_by_role("option").nth(26).wait_for()
    assert [one.get_attribute("aria-label") for one in drawing.locator(".cell.hint").all()] == chosen
    assert page.url == address
    assert layers(drawing, "picked") == {"0"}, "and what is looked at"
    idle(page)
    page.get_by_text("Images at layer1.0").wait_for()
    page.get_by_role("button", name="Back to automatic").click()
    page.get_by_text("by hand:").wait_for(state="detached")
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("by hand:").wait_for()


@pytest.mark.parametrize(("dark", "width"), [(True, 1440), (False, 390)])
def test_it_fits_and_takes_the_colours_of_the_page(open_page, explorer, screenshot, dark, width):
    page = open_page(dark=dark, width=width)
    drawing = explorer(page)
    drawing.get_by_role("option").nth(14).click()
    inside = drawing.bounding_box()
    for view in (".matrix", ".facts", ".map", ".depth"):
        box = drawing.locator(view).bounding_box()
        assert box["x"] >= inside["x"] - 1 and box["x"] + box["width"] <= inside["x"] + inside["width"] + 1
    assert drawing.get_by_role("option").nth(14).bounding_box()["width"] > 24  # wide enough for a finger
    text = drawing.locator(".facts h3").evaluate("heading => getComputedStyle(heading).color")
    corner = drawing.locator("canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(3, 3, 1, 1).data].slice(0, 3)"
    )
    bright = sum(corner) / 3 > 127  # the first cell is of a layer with itself, 1: it stands out from the page
    assert bright == dark and ("236" in text) == dark
    screenshot(page, f"explorer-{'dark' if dark else 'light'}-{width}")

"""The main job as a person does it: Teacher, Similarity, Hint points, Distill, Runs, a student in a file."""

from __future__ import annotations

import re
import time

from pursuhint.runs import RunFolder

TRAINING_S = 180


def hint_points(page) -> list[str]:
    """Return the layers that the Hint points page names now."""
    words = page.locator("[data-testid=stMain] p:has-text('HP1')").first.inner_text()
    return re.findall(r"HP\d+\s+(\S+)", words)


def wait_for_hint_points(page, changed_from: list[str]) -> list[str]:
    """Wait until the page names other hint points."""
    end = time.monotonic() + 30
    while (found := hint_points(page)) == changed_from and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert found != changed_from
    return found


def leave(page, idle, title: str) -> None:
    """Go to another page by the navigation."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title).click()
    page.get_by_role("heading", name=title, exact=True).wait_for()
    idle(page)


def choose_student(page, idle, spec: str) -> None:
    """Type the name of a student."""
    box = page.get_by_role("combobox", name="Network")
    box.click()
    box.fill(spec)
    box.press("Enter")
    idle(page)


def test_from_the_teacher_to_a_student_in_a_file(page, visit, idle, app, tmp_path, screenshot):
    visit(page)
    page.get_by_test_id("stMetricValue").filter(has_text="99.60 %").wait_for()
    screenshot(page, "teacher")

    leave(page, idle, "Similarity")
    page.locator(".st-key-heatmap .heatmaplayer image").first.wait_for()
    page.get_by_role("combobox", name="Metric").click()
    page.get_by_role("option", name="Linear CKA", exact=True).click()
    idle(page)
    page.locator(".st-key-files-heatmap button").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    assert download.value.suggested_filename == "digits-resnet56-cka_linear.csv"

    leave(page, idle, "Hint points")
    automatic = hint_points(page)
    assert len(automatic) == 3
    cells = page.get_by_role("option")
    cells.nth(12).wait_for()
    assert cells.count() == 27
    cells.nth(12).click()
    page.get_by_role("button", name="Add hint point").click()
    clicked = wait_for_hint_points(page, automatic)
    assert len(set(clicked) ^ set(automatic)) == 1
    idle(page)  # the badges come first, the table below them is drawn anew a moment later
    table = page.get_by_test_id("stDataFrame").nth(1)  # below the plans side by side
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 46, box["y"] + 34 + 16)  # the box in the first row: layer1.0
    ticked = wait_for_hint_points(page, clicked)
    assert "layer1.0" in ticked
    screenshot(page, "hint-points")

    page.get_by_role("button", name="Use in Distill").click()
    page.wait_for_url("**/distill**")
    page.get_by_role("heading", name="Distill").wait_for()
    idle(page)
    assert all(name in page.get_by_text("teaches at").inner_text() for name in ticked)
    choose_student(page, idle, "zoo:resnet8?width=0.25")
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("3")
    epochs.press("Enter")
    idle(page)
    page.get_by_text("3 epochs").wait_for()
    last = page.locator(".meeting").last
    for layer in ("2.0", "3.0"):  # another layer, and back
        last.click()
        page.locator(".mate").get_by_text(layer, exact=True).click()
        last.get_by_text(f"→ layer{layer}").wait_for()
    screenshot(page, "distill")
    before = set((app.home / "runs").glob("*"))
    page.get_by_role("button", name="Start distillation").dblclick()

    page.wait_for_url("**/runs?run=*")
    runs = list(set((app.home / "runs").glob("*")) - before)
    assert len(runs) == 1, "a double click is one run"
    button = page.get_by_role("button", name="Download student")
    button.wait_for(timeout=TRAINING_S * 1000)
    page.locator(".curves[data-end='3'] [data-panel=terms] path").first.wait_for()  # all three epochs
    screenshot(page, "runs")
    with page.expect_download() as download:
        button.click()
    download.value.save_as(tmp_path / "student.safetensors")
    run = RunFolder(runs[0])
    assert (tmp_path / "student.safetensors").read_bytes() == run.student.read_bytes()
    assert run.run_settings.plan.hint_points == tuple(ticked)
    assert len(run.history().epochs) == 3


def test_another_teacher_is_analysed_while_the_page_watches(page, visit, idle, screenshot):
    visit(page)
    page.get_by_role("textbox", name="Network").fill("builtin:digits-resnet56")
    samples = page.get_by_role("spinbutton", name="Probe images")
    samples.fill("300")
    samples.press("Tab")
    page.get_by_role("button", name="Analyse").click()
    page.get_by_role("button", name="Cancel").wait_for()
    page.wait_for_url("**/?teacher=*", timeout=TRAINING_S * 1000)
    page.get_by_test_id("stMetricValue").filter(has_text="300").wait_for()
    page.reload()  # a new session: the address alone brings it back
    page.get_by_test_id("stMetricValue").filter(has_text="300").wait_for()


def test_a_form_that_cannot_work_is_refused_and_keeps_what_was_typed(page, visit, idle):
    visit(page)
    network = page.get_by_role("textbox", name="Network")
    network.fill("zoo:resnet57")
    page.get_by_role("button", name="Analyse").click()
    page.get_by_text("did you mean resnet56?").wait_for()
    page.get_by_text("name the file of the trained weights").wait_for()
    assert network.input_value() == "zoo:resnet57"
    assert page.get_by_role("button", name="Cancel").count() == 0


def test_a_teacher_that_cannot_be_loaded_says_why(page, visit, idle):
    visit(page)
    page.get_by_role("textbox", name="Network").fill("torchvision:resnet19")
    page.get_by_role("textbox", name="Checkpoint").fill(__file__)
    page.get_by_role("button", name="Analyse").click()
    page.get_by_text("did you mean resnet18?").wait_for(timeout=TRAINING_S * 1000)
    page.get_by_role("button", name="Close").click()
    page.get_by_test_id("stAlert").wait_for(state="detached")
    idle(page)
    assert page.get_by_test_id("stAlert").count() == 0

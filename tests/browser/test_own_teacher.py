"""Who has images but no network: train one, use it as the teacher, see its layers."""

from __future__ import annotations

TRAINING_MS = 180_000


def test_a_teacher_of_one_s_own(page, visit, idle, screenshot):
    visit(page)
    page.get_by_role("tab", name="Train one").click()
    network = page.get_by_role("combobox", name="Network")
    network.click()
    network.fill("zoo:resnet8?width=0.25")
    network.press("Enter")
    page.get_by_text("Images of 3 × 8 × 8").wait_for()
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("1")
    epochs.press("Enter")
    page.get_by_text("The same from the command line").click()
    page.get_by_text("--epochs 1").wait_for()
    idle(page)
    screenshot(page, "train-one")
    page.get_by_role("button", name="Start training").dblclick()

    page.wait_for_url("**/runs?run=*")
    use = page.get_by_role("button", name="Use as teacher")
    use.wait_for(timeout=TRAINING_MS)
    screenshot(page, "trained")
    use.click()
    page.wait_for_url("**/?teacher=*", timeout=TRAINING_MS)
    page.get_by_text("resnet8?width=0.25, trained on digits").wait_for()
    page.get_by_test_id("stMetric").filter(has_text="candidate layers").get_by_text(
        "3", exact=True
    ).wait_for()
    idle(page)
    screenshot(page, "own-teacher")

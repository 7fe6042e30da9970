"""Runs do not belong to the app: it is killed while one trains, and finds it again when it is back."""

from __future__ import annotations

import time

import psutil

from pursuhint.runs import RunFolder

WAIT_S = 180


def test_a_run_outlives_the_app(start_app, open_page, complaints, idle):
    server = start_app()
    page = open_page()
    complaints.server = server
    page.goto(f"{server.url}/distill")
    page.get_by_role("heading", name="Distill").wait_for()
    idle(page)
    box = page.get_by_role("combobox", name="Network")
    box.click()
    box.fill("zoo:resnet8?width=0.25")
    box.press("Enter")
    idle(page)
    epochs = page.get_by_role("spinbutton", name="Epochs")
    epochs.fill("4")
    epochs.press("Enter")
    idle(page)
    page.get_by_role("button", name="Start distillation").click()
    page.wait_for_url("**/runs?run=*")
    page.locator(".st-key-run-stop").wait_for()  # by name it could be Streamlit's own, in the header
    (folder,) = (server.home / "runs").iterdir()
    run = RunFolder(folder)
    worker = run.last_state()["pid"]
    server.kill()
    assert psutil.pid_exists(worker)

    end = time.monotonic() + WAIT_S
    while run.is_live() and time.monotonic() < end:
        time.sleep(0.2)
    assert run.last_state()["state"] == "finished", run.last_state()

    complaints.errors.clear()  # the lost connection
    again = start_app(server.home)
    complaints.server = again
    page.goto(f"{again.url}/runs?run={run.id}")
    page.get_by_role("button", name="Download student").wait_for()
    complaints.errors[:] = [error for error in complaints.errors if server.url not in error]

"""How quick the app is: first page, page switches, a selection in 54 layers; alone, for two, beside a run.

    python -m benchmarks.pages
    python -m benchmarks.pages --rounds 9 --analysis FOLDER

Starts the real app on a free port with an empty data folder and drives Chromium. Times are taken inside the
page, from the click to the frame that shows the result. Prints medians and the worst, and which heavy
packages the app's process imported. Aims: first page < 2 s, switch < 0.3 s, selection < 0.5 s, none of the
packages.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, sync_playwright

from pursuhint.analysis import AnalysisSettings
from pursuhint.analysis.image_map_worker import make_image_maps
from pursuhint.analysis.worker import analyse
from pursuhint.runs import RunFolder, create_run
from pursuhint.training.settings import make_settings
from tools.served import IDLE, SWITCHES, AppServer, find_browser, serve

PAGES = {
    "Teacher": ("/", "[data-testid=stMetricValue]"),
    "Similarity": ("/similarity", ".st-key-heatmap .heatmaplayer image"),
    "What a layer sees": ("/what_a_layer_sees", ".sees .keys > *"),
    "Hint points": ("/hint_points", ".explorer .cell"),
    "Distill": ("/distill", "[class*=st-key-start-] button"),
    "Runs": ("/runs", "[data-testid=stMain] [data-testid=stCaptionContainer]"),
    "Lesson": ("/lesson", ".st-key-lesson h1"),
}
"""Title -> address, and what is there once the page is drawn."""
HEAVY = ("torch", "umap", "numba", "mlflow")
WALK = Path(__file__).with_name("walk.js")
CIRCUIT = [*itertools.chain.from_iterable(itertools.combinations(PAGES, 2)), next(iter(PAGES))][1:]
"""A walk along which every page follows every other once; it ends where it began."""
LAYERS = (7, 21, 35, 49, 14, 28, 42, 3, 52)
"""Layers that are selected in turn, from all over the depth."""
FIRST, AGAIN = "first page, new browser", "first page, seen before"
SWITCH, SELECT, TOGGLE = "page switch", "selection in every view", "hint point changed"
DRAW, BEHIND = "  the drawing's own script", "curves behind the journal"
AIMS = {FIRST: 2.0, AGAIN: 2.0, SWITCH: 0.3, SELECT: 0.5, TOGGLE: 0.5, DRAW: 0.02, BEHIND: 1.5}
"""What is measured -> how many seconds it may take."""
WAIT_S = 120
WATCHED_S = 20

Times = dict[str, list[float]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--analysis", type=Path, help="of a teacher of 54 layers; one is made without it")
    given = parser.parse_args()
    alone, two, busy = (defaultdict(list) for _ in range(3))
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        analysis = given.analysis or analysed(folder)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=SWITCHES)
        found = imported(browser, folder)
        say("packages looked at; first pages")
        for number in range(given.rounds):
            with served(folder / f"new-{number}") as server:
                first_pages(browser, server, alone)
        with served(folder / "walk", PURSUHINT_ANALYSIS=str(analysis.resolve())) as server:
            say("one visitor")
            walk(browser, server, alone, rounds=given.rounds)
            say("two visitors")
            walk_together(browser, server, two, rounds=given.rounds)
            say("while a run trains")
            with training(server) as run:
                busy[BEHIND] += behind(browser, server, run)
                for _ in range(given.rounds):
                    first_pages(browser, server, busy)
                walk(browser, server, busy, rounds=given.rounds)
    show({"alone": alone, "two at once": two, "while a run trains": busy})
    print(f"heavy packages in the app's process, all pages opened: {', '.join(found) or 'none'}")


def say(what: str) -> None:
    """Tell how far it is; a whole measurement takes minutes."""
    print(f"... {what}", file=sys.stderr, flush=True)


def analysed(folder: Path) -> Path:
    """Analyse a ResNet-110 of random weights, map the images at its layers, and return the folder."""
    import torch

    from benchmarks.subjects import network

    given = argparse.Namespace(network="zoo:resnet110", weights=None, threads=torch.get_num_threads())
    weights = folder / "resnet110.pth"
    torch.save(network(given).state_dict(), weights)
    asked = {"teacher": given.network, "weights": str(weights), "data": "fake", "preprocess": "cifar10"}
    settings = AnalysisSettings(**asked, samples=256, allow_weak_teacher=True)
    analysis = analyse(settings, folder / "analysis")
    make_image_maps(analysis)
    return analysis.path


@contextmanager
def served(folder: Path, **environment: str) -> Iterator[AppServer]:
    """Run the app."""
    folder.mkdir()
    server = serve(folder, environment=environment)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def training(server: AppServer) -> Iterator[RunFolder]:
    """Let a real run train on all cores, as the app itself would start it."""
    os.environ["PURSUHINT_HOME"] = str(server.home)
    settings = make_settings(
        kind="train",
        student="zoo:resnet20",
        data="fake",
        preprocess="cifar10",
        epochs=1000,
        threads=os.cpu_count(),
    )
    run = create_run(settings)
    run.launch()
    end = time.monotonic() + WAIT_S
    while not run.history().steps and time.monotonic() < end:
        time.sleep(0.2)
    try:
        yield run
    finally:
        run.ask_to_stop()


@contextmanager
def visitor(browser: Browser, server: AppServer) -> Iterator[Page]:
    """Open a tab without any memory of former visits."""
    context = browser.new_context(base_url=server.url, viewport={"width": 1440, "height": 1000})
    context.add_init_script(path=WALK)
    try:
        yield context.new_page()
    finally:
        context.close()


def open_page(page: Page, title: str) -> float:
    """Go to a page by its address and wait; returns the seconds until it was drawn."""
    address, mark = PAGES[title]
    page.goto(address, wait_until="commit")
    return page.evaluate("asked => walk.first(...asked)", [title, mark]) / 1000


def first_pages(browser: Browser, server: AppServer, times: Times) -> None:
    """Time the first page of a new visitor, then of one whose browser has it already."""
    with visitor(browser, server) as page:
        times[FIRST].append(open_page(page, "Teacher"))
        page.wait_for_selector(IDLE, state="attached")
        times[AGAIN].append(open_page(page, "Teacher"))


def warmed(page: Page) -> None:
    """Open every page once: the first plotly page of a browser loads megabytes."""
    for title in (*PAGES, CIRCUIT[-1]):
        open_page(page, title)
        page.wait_for_selector(IDLE, state="attached")


def walk(browser: Browser, server: AppServer, times: Times, *, rounds: int) -> None:
    """Time the switch between every pair of pages, both ways, and selections in the drawing."""
    with visitor(browser, server) as page:
        warmed(page)
        for title in CIRCUIT * rounds:
            times[SWITCH].append(turn(page, title))
            times[f"  to {title}"].append(times[SWITCH][-1])
        turn(page, "Hint points")
        for _, layer in zip(range(2 * rounds), itertools.cycle(LAYERS), strict=False):
            times[SELECT].append(ask(page, "select", layer))
            times[TOGGLE].append(ask(page, "toggle", layer))
            times[DRAW].append(page.evaluate("walk.drawn()") / 1000)


def walk_together(browser: Browser, server: AppServer, times: Times, *, rounds: int) -> None:
    """Time switches that two visitors make in the same moment."""
    with visitor(browser, server) as one, visitor(browser, server) as other:
        for page in (one, other):
            warmed(page)
        for titles in zip(CIRCUIT * rounds, [*CIRCUIT[-2::-1], CIRCUIT[-1]] * rounds, strict=True):
            for page, title in zip((one, other), titles, strict=True):
                page.evaluate("asked => { walk.last = walk.turn(...asked); }", [title, PAGES[title][1]])
            times[SWITCH] += [page.evaluate("walk.last") / 1000 for page in (one, other)]


def turn(page: Page, title: str) -> float:
    """Click a page in the navigation; returns the seconds until it was drawn, and waits for the rest."""
    took = page.evaluate("asked => walk.turn(...asked)", [title, PAGES[title][1]]) / 1000
    page.evaluate("walk.idle()")
    return took


def behind(browser: Browser, server: AppServer, run: RunFolder) -> list[float]:
    """Watch a run's curves; returns how many seconds after its entry in the journal each point was drawn."""
    with visitor(browser, server) as page:
        page.goto(f"/runs?run={run.id}")
        page.wait_for_selector(".curves .dot", timeout=1000 * WAIT_S)
        seen = page.evaluate("seconds => walk.watch(seconds)", WATCHED_S)
    steps = run.history().steps
    written = dict(zip(steps.column("epoch").round(4), steps.column("time"), strict=True))
    return [drawn / 1000 - written[round(end, 4)] for end, drawn in seen if round(end, 4) in written]


def ask(page: Page, deed: str, layer: int) -> float:
    """Do something with a layer of the drawing and wait; returns the seconds until it shows."""
    took = page.evaluate(f"layer => walk.{deed}(layer)", layer) / 1000
    page.wait_for_timeout(150)  # a selection reaches the server a moment later
    page.evaluate("walk.idle()")
    return took


def imported(browser: Browser, folder: Path) -> list[str]:
    """Return which heavy packages the app imports until every page was opened."""
    with served(folder / "imports", PYTHONPROFILEIMPORTTIME="1") as server:
        with visitor(browser, server) as page:
            warmed(page)
        names = set(re.findall(r"\|\s+([\w.]+)$", server.log.read_text(), re.MULTILINE))
    return [name for name in HEAVY if name in names]


def show(columns: dict[str, Times]) -> None:
    """Print median and worst of each, and how much longer than alone."""
    alone = columns["alone"]
    print(f"{'seconds':28}{'aim':>6}" + "".join(f"{name:>28}" for name in columns))
    for what in dict.fromkeys(itertools.chain.from_iterable(columns.values())):
        line = f"{what:28}{AIMS.get(what, AIMS[SWITCH]):6.2f}"
        for times in columns.values():
            found = times.get(what)
            ratio = (
                f"{median(found) / median(alone[what]):6.1f}x"
                if found and times is not alone and what in alone
                else ""
            )
            line += f"{median(found):12.3f} worst {max(found):5.2f}{ratio:>5}" if found else " " * 28
        print(line)


if __name__ == "__main__":
    main()

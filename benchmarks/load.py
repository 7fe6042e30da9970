"""Many visitors at once: page switches, memory and errors while two runs train.

    python -m benchmarks.load
    python -m benchmarks.load --sessions 30 --changes 500

Starts the real app on a free port with an empty data folder, lets two real runs train, and opens sessions
over Streamlit's own websocket: each turns to another page every few seconds, as a reader would, and asks
again for what refreshes itself. Times are from the request to the end of the page's script; what a browser
adds is measured beside them, by one real Chromium that walks through the pages. Aims: no error, 95 % of the
switches below 2 s, memory that stays where it is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.pages import CIRCUIT, SWITCH, Times, served, turn, visitor, warmed
from pursuhint.runs import RunFolder, create_run
from pursuhint.runs.queue import SLOTS_VARIABLE
from pursuhint.training.settings import make_settings
from tools.served import SWITCHES, AppServer, find_browser

THINKS = (5.0, 15.0)
"""Seconds, at least and at most, that a visitor looks at a page."""
RUNS = 2
LOOKS_EVERY = 5.0
"""Seconds between two switches of the real browser: its own work would be most of what is measured."""
AIM = 2.0
"""Seconds within which 95 of 100 switches are to be done."""
PATIENCE = 60
TROUBLE = r"a page stopped.*|^\w+(?:\.\w+)*(?:Error|Exception)\b.*"
"""What the app's log says of a defect."""


@dataclass
class Measured:
    """What all sessions saw.

    Attributes:
        took: page -> seconds of every switch to it.
        errors: what went wrong, in words.
        memory: switches made by all -> bytes that the app's process had.
    """

    took: Times = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    memory: dict[int, int] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """Switches made by all."""
        return sum(map(len, self.took.values()))


class Session:
    """One visitor's connection, as the page in a browser would hold it."""

    def __init__(self, socket: ClientConnection, measured: Measured) -> None:
        self._socket, self._measured = socket, measured
        self.pages: dict[str, str] = {}
        self._refreshing: list[asyncio.Task] = []
        self._page = ""

    async def turn(self, title: str) -> float:
        """Turn to a page by its title, the first one when it is empty; returns the seconds it took."""
        self.rest()
        self._page = self.pages.get(title, "")
        began = time.perf_counter()
        await self._ask(page_script_hash=self._page)
        while True:
            message = ForwardMsg.FromString(await asyncio.wait_for(self._socket.recv(), PATIENCE))
            kind = message.WhichOneof("type")
            if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return (
                    time.perf_counter() - began
                )  # of the page; a part of it that renews itself ends otherwise
            self._take(kind, message)

    def rest(self) -> None:
        """Ask no more for what refreshes itself."""
        for task in self._refreshing:
            task.cancel()
        self._refreshing = []

    async def look(self, seconds: float) -> None:
        """Read what comes in while the visitor looks at the page."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    message = ForwardMsg.FromString(await self._socket.recv())
                    self._take(message.WhichOneof("type"), message)

    def _take(self, kind: str, message: ForwardMsg) -> None:
        if kind == "navigation":
            self.pages = {page.page_name: page.page_script_hash for page in message.navigation.app_pages}
        elif kind == "auto_rerun":
            asked = message.auto_rerun
            self._refreshing.append(asyncio.create_task(self._refresh(asked.fragment_id, asked.interval)))
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            self._measured.errors.append(message.delta.new_element.exception.message)

    async def _refresh(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._ask(page_script_hash=self._page, fragment_id=fragment, is_auto_rerun=True)

    async def _ask(self, **state: object) -> None:
        asked = BackMsg()
        for name, value in state.items():
            setattr(asked.rerun_script, name, value)
        await self._socket.send(asked.SerializeToString())


@asynccontextmanager
async def session(server: AppServer, measured: Measured) -> AsyncIterator[Session]:
    """Connect as the page in a browser does."""
    address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    async with connect(address, origin=server.url, subprotocols=["streamlit"], max_size=None) as socket:
        one = Session(socket, measured)
        yield one
        one.rest()


async def visit(server: AppServer, measured: Measured, *, changes: int, seed: int) -> None:
    """Be one visitor, until all have made so many switches."""
    chance = random.Random(seed)
    try:
        async with session(server, measured) as one:
            await asyncio.sleep(chance.uniform(0, THINKS[1]))
            await one.turn("")
            while measured.changes < changes:
                await one.look(chance.uniform(*THINKS))
                title = chance.choice(list(one.pages))
                measured.took[title].append(await one.turn(title))
    except Exception as error:  # whatever it is, it is what this command is to find
        measured.errors.append(f"{type(error).__name__}: {error}")


async def crowd(server: AppServer, measured: Measured, *, sessions: int, changes: int) -> None:
    """Let all visitors in at once and look at the app's memory meanwhile."""
    app = psutil.Process(server.process.pid)
    measured.memory[0] = app.memory_info().rss
    visitors = [
        asyncio.create_task(visit(server, measured, changes=changes, seed=number))
        for number in range(sessions)
    ]
    while not all(task.done() for task in visitors):
        await asyncio.sleep(1)
        measured.memory[measured.changes] = app.memory_info().rss


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--changes", type=int, default=500, help="page changes of all sessions together")
    given = parser.parse_args()
    measured, seen = Measured(), defaultdict(list)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        browser = playwright.chromium.launch(executable_path=find_browser(), args=SWITCHES)
        with (
            served(folder / "app", **{SLOTS_VARIABLE: str(RUNS)}) as server,
            visitor(browser, server) as page,
        ):
            warmed(page)
            runs = trainings(server)
            asked = crowd(server, measured, sessions=given.sessions, changes=given.changes)
            others = threading.Thread(target=asyncio.run, args=(asked,))
            others.start()
            while others.is_alive():
                for title in CIRCUIT:
                    if others.is_alive():
                        seen[SWITCH].append(turn(page, title))
                        page.wait_for_timeout(1000 * LOOKS_EVERY)
            steps = [len(run.history().steps) for run in runs]
            log = server.log.read_text(encoding="utf-8", errors="replace")
    measured.errors += re.findall(TROUBLE, log, re.MULTILINE)
    show(measured, seen[SWITCH], given.sessions, steps)


def trainings(server: AppServer) -> list[RunFolder]:
    """Start the runs and wait until each has logged a step."""
    os.environ["PURSUHINT_HOME"] = str(server.home)
    os.environ[SLOTS_VARIABLE] = str(RUNS)
    runs = [
        create_run(
            make_settings(
                kind="train",
                student="zoo:resnet20",
                data="digits",
                preprocess="digits",
                epochs=100_000,
                seed=seed,
                threads=1,
            )
        )
        for seed in range(RUNS)
    ]
    for run in runs:
        run.launch()
    end = time.monotonic() + PATIENCE
    while not all(run.history().steps for run in runs) and time.monotonic() < end:
        time.sleep(0.2)
    return runs


def show(measured: Measured, seen: list[float], sessions: int, steps: list[int]) -> None:
    """Print what was found."""
    print(f"{'seconds':24}{'n':>6}{'median':>9}{'p95':>9}{'worst':>9}   aim: p95 < {AIM}")
    every = [value for taken in measured.took.values() for value in taken]
    rows = {"every page": every, **dict(sorted(measured.took.items())), "in one Chromium": seen}
    for title, taken in rows.items():
        if taken:
            middle, late = np.percentile(taken, [50, 95])
            print(f"{title:24}{len(taken):6}{middle:9.3f}{late:9.3f}{max(taken):9.3f}")
    sizes = {changes: size / 1e6 for changes, size in measured.memory.items()}
    first, half, last = sizes[0], *(_at(sizes, share) for share in (0.5, 1.0))
    print(
        f"memory of the app: {first:.0f} MB for one, {half:.0f} MB after half of the changes, {last:.0f} MB"
    )
    print(f"a session: {(last - first) / sessions:.1f} MB; logged steps of the runs meanwhile: {steps}")
    print(f"errors: {len(measured.errors)}" + "".join(f"\n  {text}" for text in sorted(set(measured.errors))))


def _at(sizes: dict[int, float], share: float) -> float:
    """Return the memory after a share of the changes."""
    return sizes[min(sizes, key=lambda changes: abs(changes - share * max(sizes)))]


if __name__ == "__main__":
    main()

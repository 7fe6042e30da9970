"""A worker without torch: it claims its folder, then waits until it is asked to stop (or ignores that)."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from pursuhint.jobs import JobFolder

if __name__ == "__main__":
    job = JobFolder(Path(sys.argv[1]))
    stubborn = job.settings().get("stubborn", False)
    if stubborn == "term":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with job.claim():
        if job.settings().get("short"):
            job.set_state("finished")
            sys.exit()
        while stubborn or not job.stop_asked():
            time.sleep(0.02)
        job.set_state("stopped", reason="asked to stop")

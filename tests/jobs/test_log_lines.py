"""Every line of a worker's log says when and for which job it was written."""

from __future__ import annotations

import io
import re
import sys
from contextlib import suppress
from datetime import datetime

from pursuhint.jobs import log_lines
from pursuhint.jobs.log_lines import LogLines, now

LINE = re.compile(r"(\S+) (\S+) (.*)")


def test_the_time_is_iso_8601_with_its_zone():
    told = datetime.fromisoformat(now())
    assert told.tzinfo is not None and abs((datetime.now().astimezone() - told).total_seconds()) < 5


def test_lines_are_stamped_whole_however_they_are_written():
    stream = io.StringIO()
    log = LogLines(stream, "run-1")
    print("a", "b", file=log)
    log.write("first\nsec")
    log.write("ond\n\nbar 10 %\rbar 20 %\r")
    log.write("without an end")
    log.close_line()
    log.close_line()
    lines = [LINE.fullmatch(line).groups() for line in stream.getvalue().splitlines()]
    assert [text for _, _, text in lines] == [
        "a b",
        "first",
        "second",
        "",
        "bar 10 %",
        "bar 20 %",
        "without an end",
    ]
    assert {who for _, who, _ in lines} == {"run-1"}
    assert all(datetime.fromisoformat(when).tzinfo for when, _, _ in lines)


def test_a_log_that_cannot_be_written_stops_nothing():
    full = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115  (its end fails as well)
    log = LogLines(full, "run-1")
    assert log.write("one\n") == 4 and log.write("two\n") == 4
    with suppress(OSError):
        full.close()


def test_a_process_says_when_it_begins_and_ends(capsys):
    with log_lines("job/part"):
        print("work")
        print("trouble", file=sys.stderr)
    found = capsys.readouterr()
    said = [LINE.fullmatch(line).group(2, 3) for line in found.out.splitlines()]
    assert said[1] == ("job/part", "work") and said[2][1].endswith(" ends")
    assert re.fullmatch(r"process \d+ begins, pursuhint [\d.]+", said[0][1])
    assert LINE.fullmatch(found.err.strip()).group(2, 3) == ("job/part", "trouble")
    print("after")
    assert capsys.readouterr().out == "after\n"

"""Fragments: what goes wrong in one is said by it, and what is live is followed."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.app.conftest import SECONDS


def page(error: str = "", problem: str = "", every: float | None = None) -> None:
    """A page with a fragment; a callback of that one leaves `problem` once."""
    import streamlit as st

    from app import failures, fragments, state
    from pursuhint.errors import InputError

    def part() -> None:
        if error:
            raise InputError(error)
        st.caption("the part")

    failures.show_kept()
    st.caption("the page")
    if "begun" not in st.session_state:
        st.session_state["begun"] = True
        state.get().problem = problem
    fragments.fragment(part, every=every)()


def followed() -> None:
    """A page with a part whose work begins after the page has looked at it."""
    import streamlit as st

    from app import fragments

    looks = st.session_state.setdefault("looks", [])

    def is_live(name: str) -> bool:
        looks.append(name)
        return len(looks) > 1

    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    fragments.follow(st.caption, is_live, "followed", every=60)


def run(script=page, **kwargs) -> AppTest:
    """Run a page."""
    return AppTest.from_function(script, kwargs=kwargs, default_timeout=SECONDS).run()


def order(app: AppTest) -> list[str]:
    """Return what stands on a page, from above."""
    return [str(one.value) for one in app.main if one.type in ("caption", "error")]


def test_an_error_is_said_in_place_of_the_part():
    app = run(error="the features are damaged")
    assert order(app) == ["the page", "the features are damaged"] and not app.exception


def test_what_a_callback_left_is_said_once_by_the_part_that_runs_next():
    app = run(problem="no such folder")
    assert order(app) == ["the page", "no such folder", "the part"]
    assert order(app.run()) == ["the page", "the part"]


def test_where_the_next_look_would_wipe_it_the_page_says_it():
    assert order(run(problem="no such folder", every=60)) == ["no such folder", "the page", "the part"]


def test_the_whole_page_is_drawn_when_work_begins():
    app = run(followed)
    assert app.session_state["runs"] == 2  # it saw no work, the part did, it saw it too
    assert app.session_state["looks"] == 4 * ["followed"]
    assert [one.value for one in app.caption] == ["followed"]


def test_no_part_of_the_app_goes_without_them():
    root = Path(__file__).parents[2]
    files = [file for folder in ("app", "pages") for file in (root / folder).rglob("*.py")]
    users = [file for file in files if "st.fragment" in file.read_text(encoding="utf-8")]
    assert users == [root / "app" / "fragments.py"]

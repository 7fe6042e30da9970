"""What every test gets: fixed seeds, a data folder of its own, and what the markers promise."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.tiny import (  # noqa: F401  (fixtures)
    settings_for,
    tiny_analysis,
    tiny_plan,
    tiny_run,
    tiny_teacher,
    tiny_weights,
)

BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark by place and fixture, skip what was not asked for or cannot run here, put the browser last."""
    for item in items:
        if BROWSER_TESTS in item.path.parents:
            item.add_marker("browser")
        if "test_data" in getattr(item, "fixturenames", ()):
            item.add_marker("data")
        if item.get_closest_marker("slow") and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow: runs with --slow"))
        if item.get_closest_marker("gpu") and not _cuda_is_available():
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device, torch finds none"))
    # Last, because Playwright leaves an event loop running in this thread.
    items.sort(key=lambda item: BROWSER_TESTS in item.path.parents)


def _cuda_is_available() -> bool:
    import torch

    return torch.cuda.is_available()


@pytest.fixture(autouse=True)
def _seeds() -> None:
    """Seed every generator; torch only where the test has imported it."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  (scikit-learn and umap fall back on it)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(autouse=True)
def pursuhint_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, named by PURSUHINT_HOME for this test and the processes that it starts."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PURSUHINT_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of PURSUHINT_TEST_DATA (``data/``, ``weights/``); tests that ask for it skip without it."""
    named = os.environ.get("PURSUHINT_TEST_DATA")
    if not named:
        pytest.skip("PURSUHINT_TEST_DATA is not set: no data beside the project")
    folder = Path(named)
    if not (folder / "data").is_dir() or not (folder / "weights").is_dir():
        pytest.skip(f"PURSUHINT_TEST_DATA is `{folder}`, which holds no data/ and weights/")
    return folder

"""The app's process stays small: no torch and no umap on any page, no scikit-learn before the first paint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({main!r}, default_timeout=100)
app.switch_page("../pages/{page}.py").run()
assert not app.exception, app.exception
print(*[name for name in ("torch", "umap", "sklearn") if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("page", "allowed"),
    [
        ("teacher", set()),
        ("similarity", {"sklearn"}),  # the silhouette of the clustering
        ("what_a_layer_sees", {"sklearn"}),
        ("hint_points", {"sklearn"}),
        ("distill", {"sklearn"}),
        ("runs", set()),
        ("lesson", {"sklearn"}),
    ],
)
def test_heavy_packages_stay_out(page, allowed, teacher):
    script = SCRIPT.format(main=str(ROOT / "app" / "main.py"), page=page)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= allowed

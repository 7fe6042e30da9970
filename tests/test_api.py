"""The Python entry points: light to import, and the whole job in a few lines."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import pursuhint
from tests.tiny import FAST, STUDENT, TEACHER

LIGHT = [
    "pursuhint",
    "pursuhint.cli",
    "pursuhint.analysis",
    "pursuhint.runs",
    "pursuhint.hints",
    "pursuhint.figures",
    "pursuhint.probe",
]


def test_reading_needs_neither_torch_nor_umap():
    script = (
        f"import importlib, sys\nfor name in {LIGHT}:\n    importlib.import_module(name)\n"
        "    heavy = {'torch', 'umap', 'numba', 'streamlit'} & sys.modules.keys()\n"
        "    assert not heavy, (name, heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_name_of_the_package_is_there():
    for name in pursuhint.__all__:
        assert getattr(pursuhint, name).__name__ == name
    assert dir(pursuhint) == sorted(pursuhint.__all__)


def test_the_readme_shows_code_that_runs():
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    quick = code.replace("data.train,", "data.train.take(slice(0, 200)),").replace(
        "data.train.ids", "data.train.ids[:200]"
    )
    assert quick.count("200") == 2
    quick = quick.replace("epochs=5", "epochs=1, limit=64")
    names: dict[str, object] = {}
    exec(compile(quick, "README.md", "exec"), names)
    assert names["run"].summary()["state"] == "finished"
    assert len(names["plan"].hint_points) == 3


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="module 'pursuhint' has no attribute 'distil'"):
        _ = pursuhint.distil


def test_the_main_job_in_python(tmp_path, tiny_weights):
    data = pursuhint.load_data("digits")
    teacher = pursuhint.load_teacher(
        TEACHER, weights=tiny_weights, data=data, preprocess="digits", device="cpu"
    )
    layers = pursuhint.candidate_layers(teacher.model, teacher.input_shape_for(data))
    probe = data.train.take(slice(0, 200))
    representations, _ = pursuhint.collect_representations(teacher.model, probe, layers, teacher.preprocess)
    similarity = pursuhint.similarity_matrix(representations, metric="cka_linear")
    clustering = pursuhint.cluster_layers(similarity, 3)
    plan = pursuhint.HintPlan.from_clustering(
        similarity,
        clustering,
        teacher=teacher.ref,
        data=data.spec,
        data_id=data.id,
        sample_ids=probe.ids,
    )
    told = []
    run = pursuhint.distill(
        plan, STUDENT, folder=tmp_path, progress=lambda *what: told.append(what), **FAST | {"epochs": 1}
    )
    assert run.student.is_file()
    assert run.summary()["state"] == "finished"
    assert ("training", 1, 1) in told


def test_distill_refuses_before_it_makes_a_run(tmp_path, tiny_plan):
    with pytest.raises(pursuhint.InputError, match="unknown zoo model `resnet9`"):
        pursuhint.distill(tiny_plan, "zoo:resnet9", folder=tmp_path)
    assert list(tmp_path.iterdir()) == []

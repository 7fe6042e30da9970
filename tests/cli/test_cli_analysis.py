from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pursuhint.analysis import AnalysisFolder
from pursuhint.plan import HintPlan
from tests.tiny import TEACHER

LAYERS = ["layer1.0", "layer1.1", "layer2.0", "layer2.1", "layer3.0", "layer3.1"]


def test_layers_json(pursuhint):
    found = pursuhint("layers", "--teacher", "zoo:resnet20", "--json").json
    assert found["teacher"] == "zoo:resnet20"
    assert found["parameters"] == 269_722
    assert found["input_shape"] == [3, 32, 32]
    assert found["weights"] is None
    assert [layer["name"] for layer in found["layers"]] == [
        f"layer{s}.{b}" for s in (1, 2, 3) for b in range(3)
    ]
    assert found["layers"][3] == {
        "name": "layer2.0",
        "type": "BasicBlock",
        "shape": [32, 16, 16],
        "parameters": found["layers"][3]["parameters"],
        "stage": 1,
        "stage_end": False,
    }
    assert [layer["name"] for layer in found["layers"] if layer["stage_end"]] == [
        "layer1.2",
        "layer2.2",
        "layer3.2",
    ]


def test_layers_follow_weights_data_and_filters(pursuhint, teacher):
    found = pursuhint("layers", *teacher, "--data", "digits", "--exclude", "layer1*", "--json").json
    assert [layer["name"] for layer in found["layers"]] == LAYERS[2:]
    assert found["input_shape"] == [3, 8, 8]
    assert found["weights"].endswith("all 80 tensors loaded")


def test_layers_as_a_table(pursuhint):
    answer = pursuhint("layers", "--teacher", "zoo:resnet8")
    assert answer.code == 0
    assert "zoo:resnet8: 3 candidate layers" in answer.out
    assert "16 x 32 x 32" in answer.out


def test_evaluate_json(pursuhint, teacher, tiny_run):
    found = pursuhint("evaluate", *teacher, "--data", "digits", "--device", "cpu", "--json").json
    assert found["accuracy"] == tiny_run.summary()["metrics"]["test_accuracy"]
    assert (found["n"], found["split"]) == (500, "test")
    assert found["parameters"] == tiny_run.summary()["parameters"]
    assert found["preprocess"] == "digits"


def test_evaluate_says_that_training_images_were_seen(pursuhint, teacher):
    answer = pursuhint("evaluate", *teacher, "--split", "validation")
    assert answer.code == 0
    assert "of 297 validation images (the teacher has usually seen these images)" in " ".join(
        answer.out.split()
    )


def test_analyse_similarity_hints_from_one_folder(pursuhint, teacher, tmp_path: Path):
    folder = tmp_path / "analysis"
    made = pursuhint(
        "analyse", *teacher, "--samples", "120", "--threads", "1", "--out", folder, "--json"
    ).json
    assert (made["path"], made["samples"], made["test"]["n"]) == (str(folder), 120, 500)
    assert made["teacher"]["spec"] == TEACHER
    assert AnalysisFolder.open(folder).card.samples == 120

    file = tmp_path / "matrix.npz"
    matrix = pursuhint(
        "similarity", "--analysis", folder, "--metric", "cka_linear", "--out", file, "--json"
    ).json
    assert (matrix["metric"], matrix["pooling"], matrix["samples"]) == ("cka_linear", "mean", 120)
    assert matrix["layers"] == LAYERS
    assert matrix["excluded"] == {}
    assert set(matrix["notes"]) == set(LAYERS)
    with np.load(file, allow_pickle=False) as arrays:
        assert arrays["layers"].tolist() == LAYERS
        np.testing.assert_allclose(arrays["similarity"], matrix["similarity"], atol=1e-6)
        assert "settings" in arrays.files

    plan_file = tmp_path / "plan.json"
    hints = pursuhint(
        "hints",
        "--analysis",
        folder,
        "--metric",
        "cka_linear",
        "--clusters",
        "2",
        "--out",
        plan_file,
        "--json",
    ).json
    assert hints["layers"] == LAYERS
    assert (hints["metric"], hints["pooling"], hints["samples"]) == ("cka_linear", "mean", 120)
    assert (hints["method"], len(hints["clusters"])) == ("pursuhint", 2)
    assert sorted(name for cluster in hints["clusters"] for name in cluster) == LAYERS
    assert hints["hint_points"] == sorted(hints["hint_points"], key=LAYERS.index)
    assert -1 <= hints["silhouette"] <= 1
    assert list(HintPlan.load(plan_file).hint_points) == hints["hint_points"]


def test_without_a_folder_one_is_made_once_and_kept(pursuhint, teacher, pursuhint_home: Path):
    command = ("hints", *teacher, "--samples", "60", "--metric", "cka_linear", "--json")
    first = pursuhint(*command).json
    (kept,) = (pursuhint_home / "analyses").iterdir()
    before = (kept / "analysis.json").stat().st_mtime_ns
    assert pursuhint(*command).json == first
    assert (kept / "analysis.json").stat().st_mtime_ns == before


def test_the_tables_name_hint_points_and_layers(pursuhint, tiny_analysis, tmp_path):
    answer = pursuhint("hints", "--analysis", tiny_analysis.path, "--metric", "cka_linear", "--clusters", "4")
    assert answer.code == 0
    assert "hint point" in answer.out
    assert "only 6 layers for 4 clusters: the choice means little" in " ".join(answer.err.split())
    answer = pursuhint("similarity", "--analysis", tiny_analysis.path, "--metric", "cka_linear")
    assert "cka_linear of 6 layers on 200 images" in answer.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("layers --teacher zoo:resnet65", "unknown zoo model `resnet65`: did you mean `resnet56`?"),
        ("layers --teacher resnet8 --depth 0 --exclude *", "no candidate layer is left"),
        ("layers --teacher zoo:resnet8 --weights {tmp}/none.pt", "none.pt"),
        ("layers --teacher zoo:resnet8 --preprocess imagnet", "did you mean `imagenet`?"),
        (
            "evaluate --teacher zoo:resnet8",
            "needs its trained weights: give a checkpoint file with `--weights`",
        ),
        ("evaluate {teacher} --split tets", "unknown split `tets`: did you mean `test`?"),
        ("evaluate {teacher} --data digit", "unknown data set `digit`: did you mean `digits`?"),
        ("evaluate {teacher} --data folder:{tmp}/none", "no such folder"),
        ("evaluate {teacher} --device cuda:77", "device `cuda:77` is not available here"),
        ("evaluate {teacher} --threads 0", "`threads` must be at least 1; found 0"),
        ("hints {teacher} --metric cka_liner", "unknown metric `cka_liner`: did you mean `cka_linear`?"),
        ("hints {teacher} --samples 5000", "`samples` must be at most 1000"),
        ("hints {teacher} --samples 2", "`samples` must be at least 4; found 2"),
        ("hints {teacher} --pooling max", "unknown pooling `max`"),
        ("hints --analysis {analysis} --metric cka_linear --clusters 7", "6"),
        ("hints --analysis {analysis} --metric cka_linear --clusters 0", "0"),
        ("hints --analysis {analysis} --metric cka_linear --method kmedoid", "did you mean `kmedoids`?"),
        ("hints --analysis {tmp}/none", "holds no analysis; make one with `pursuhint analyse`"),
        ("similarity --analysis {analysis} --metric rbf", "unknown metric `rbf`"),
        ("similarity --analysis {analysis} --metrik r2_cca", "No such option: --metrik"),
        ("analyse {teacher}", "Missing option '--out'"),
        ("analyse --samples many --out {tmp}/a", "Invalid value for '--samples': "),
        ("hintz", "No such command 'hintz'."),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_bad_input_is_one_line_and_exit_code_2(
    pursuhint, teacher, tiny_analysis, tmp_path: Path, arguments: str, message: str, as_json: bool
):
    filled = arguments.format(tmp=tmp_path, analysis=tiny_analysis.path, teacher=" ".join(teacher))
    line = pursuhint(*filled.split(), *(["--json"] if as_json and filled != "hintz" else [])).refused()
    assert message in line

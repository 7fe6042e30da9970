from __future__ import annotations

import json
from pathlib import Path

import pytest

from pursuhint.errors import InputError
from pursuhint.pairs import Pair
from pursuhint.plan import HintPlan, TeacherRef

LAYERS = ("a", "b", "c", "d", "e")


@pytest.fixture
def plan() -> HintPlan:
    return HintPlan(
        teacher=TeacherRef(spec="zoo:x", weights="/w.pt", hash="abc", classes=10, preprocess="digits"),
        data="digits",
        data_id="0123",
        sample_ids=(3, 5),
        metric="r2_cca",
        pooling="mean",
        method="pursuhint",
        layers=LAYERS,
        clusters=(("a", "b"), ("c", "d", "e")),
        centres=("a", "d"),
        silhouette=0.25,
    )


def edited(plan: HintPlan, path: Path, **fields) -> Path:
    """The plan's file with fields changed by hand."""
    content = json.loads(plan.model_dump_json()) | fields
    path.write_text(json.dumps(content))
    return path


def test_a_saved_plan_comes_back(plan: HintPlan, tmp_path: Path):
    changed = plan.toggled("b").model_copy(update={"pairs": (Pair("a", "s1"), Pair("b", "s2"))})
    changed.save(tmp_path / "plan.json")
    assert HintPlan.load(tmp_path / "plan.json") == changed
    assert HintPlan.from_text((tmp_path / "plan.json").read_bytes()) == changed
    assert json.loads((tmp_path / "plan.json").read_text())["version"] == 1


def test_the_automatic_hint_points_are_the_centres(plan: HintPlan):
    assert plan.hint_points == ("a", "d")


def test_a_clustering_becomes_a_plan(tiny_plan: HintPlan, tiny_analysis):
    similarity = tiny_analysis.similarity("cka_linear")
    assert tiny_plan.layers == similarity.layers
    assert tiny_plan.hint_points == tiny_plan.centres
    assert all(c in cluster for c, cluster in zip(tiny_plan.centres, tiny_plan.clusters, strict=True))
    assert tiny_plan.sample_ids == tuple(tiny_analysis.probe["ids"].tolist())
    assert tiny_plan.teacher == tiny_analysis.card.teacher
    assert (tiny_plan.metric, tiny_plan.method, tiny_plan.pooling) == ("cka_linear", "pursuhint", "mean")


def test_overrides_add_and_remove_in_depth_order(plan: HintPlan):
    changed = plan.with_override("add", "c", who="Ada", why="deeper").with_override("remove", "a")
    assert changed.hint_points == ("c", "d")
    assert [(o.action, o.layer, o.who, o.why) for o in changed.overrides] == [
        ("add", "c", "Ada", "deeper"),
        ("remove", "a", "", ""),
    ]
    assert changed.overrides[0].at.startswith("20")
    assert changed.centres == plan.centres


def test_hint_points_can_be_given_all_at_once(plan: HintPlan):
    changed = plan.with_hint_points(["e", "d"], who="Ada", why="Stage ends")
    assert changed.hint_points == ("d", "e")
    assert [(o.action, o.layer, o.why) for o in changed.overrides] == [
        ("add", "e", "Stage ends"),
        ("remove", "a", "Stage ends"),
    ]
    assert plan.with_hint_points(["b"]).hint_points == ("b",)  # none of the former ones has to stay
    assert plan.with_hint_points(plan.centres) == plan
    with pytest.raises(InputError, match="at least one hint point is needed: found none; name a layer"):
        plan.with_hint_points([])
    with pytest.raises(InputError, match="unknown layer `f`"):
        plan.with_hint_points(["a", "f"])


def test_toggling_twice_gives_the_same_hint_points(plan: HintPlan):
    assert plan.toggled("b").hint_points == ("a", "b", "d")
    assert plan.toggled("b").toggled("b").hint_points == plan.hint_points
    assert plan.toggled("a").hint_points == ("d",)


def test_automatic_forgets_every_override(plan: HintPlan):
    assert plan.toggled("b").toggled("a").automatic() == plan


def test_pairs_go_when_the_hint_points_change(plan: HintPlan, tmp_path: Path):
    paired = plan.model_copy(update={"pairs": (Pair("a", "s1"), Pair("d", "s2"))})
    changed = paired.toggled("a")
    assert changed.pairs == ()
    assert paired.toggled("a").automatic().pairs == ()
    changed.save(tmp_path / "plan.json")
    assert HintPlan.load(tmp_path / "plan.json") == changed


def test_the_last_hint_point_stays(plan: HintPlan):
    with pytest.raises(InputError, match="`d` is the last hint point; add another one before removing it"):
        plan.toggled("a").toggled("d")


def test_an_override_must_change_something(plan: HintPlan):
    with pytest.raises(InputError, match="`a` is already a hint point; nothing to add"):
        plan.with_override("add", "a")
    with pytest.raises(InputError, match="`b` is not a hint point; nothing to remove"):
        plan.with_override("remove", "b")


def test_an_override_of_an_unknown_layer_is_refused(plan: HintPlan):
    with pytest.raises(InputError, match="unknown layer `layer9`"):
        plan.toggled("layer9")


def test_another_teacher_is_refused(plan: HintPlan):
    plan.check_teacher("abc")
    message = r"made for another teacher: expected weights abc \(zoo:x\), found def; make a plan for this"
    with pytest.raises(InputError, match=message):
        plan.check_teacher("def")


def test_a_newer_version_is_refused(plan: HintPlan, tmp_path: Path):
    message = r"plan.json` is a hint plan of version 2; this program \(pursuhint .+\) reads up to 1: update"
    with pytest.raises(InputError, match=message):
        HintPlan.load(edited(plan, tmp_path / "plan.json", version=2))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"clusters": [["a", "b"]]}, "`clusters` must hold every layer exactly once"),
        ({"clusters": [["a", "b"], ["b", "c", "d", "e"]]}, "`clusters` must hold every layer exactly once"),
        ({"centres": ["z"]}, r"`centres` must be layers; found \['z'\]"),
        ({"centres": []}, "at least one hint point must be left"),
        ({"overrides": [{"action": "add", "layer": "z"}]}, r"`overrides` must name layers; found \['z'\]"),
        (
            {"overrides": [{"action": "remove", "layer": x} for x in "ad"]},
            "at least one hint point must be left",
        ),
        (
            {"pairs": [{"hint": "b", "guided": "s"}]},
            r"`pairs` must start at hint points; found \['b'\]",
        ),
        ({"metric": 3}, "`metric`: Input should be a valid string"),
        ({"hint_points": ["a"]}, "`hint_points`: Extra inputs are not permitted"),
        ({"version": 0}, "`version`: Input should be 1"),
    ],
)
def test_a_plan_edited_into_nonsense_is_refused(plan: HintPlan, tmp_path: Path, change: dict, reason: str):
    with pytest.raises(InputError, match=rf"plan.json` is not a hint plan: .*{reason}; make one with"):
        HintPlan.load(edited(plan, tmp_path / "plan.json", **change))


@pytest.mark.parametrize("content", ["[]", "3", '"x"', "{}"])
def test_other_json_is_no_plan(content: str):
    with pytest.raises(InputError, match="`upload` is not a hint plan: "):
        HintPlan.from_text(content, source="upload")


def test_text_that_is_no_json_is_refused():
    with pytest.raises(InputError, match=r"`upload` must be JSON: .*; was it cut short or edited\?"):
        HintPlan.from_text('{"version": 1', source="upload")


def test_a_missing_plan_is_said(tmp_path: Path):
    with pytest.raises(InputError, match="no such file: `.*none.json`"):
        HintPlan.load(tmp_path / "none.json")

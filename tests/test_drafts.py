"""Drafts come back, are few, and are refused in one line when they cannot be used."""

from __future__ import annotations

import json
import os

import pytest

import pursuhint.drafts as module
from pursuhint.drafts import Draft, Waiting, load_draft, new_id, save_draft
from pursuhint.errors import InputError
from pursuhint.home import drafts_folder
from pursuhint.plan import HintPlan, TeacherRef

ID = "0123456789ab"


@pytest.fixture
def draft() -> Draft:
    plan = HintPlan(
        teacher=TeacherRef(spec="zoo:x", hash="abc", classes=10, preprocess="digits"),
        data="digits",
        data_id="0123",
        sample_ids=(0, 1),
        metric="cka_linear",
        pooling="mean",
        method="pursuhint",
        layers=("a", "b", "c"),
        clusters=(("a", "b"), ("c",)),
        centres=("a", "c"),
    )
    about = {"metric": "cka_linear", "method": "pursuhint", "clusters": 2, "samples": 100}
    return Draft(teacher="abc", plan=plan.toggled("b"), **about)


def test_a_draft_comes_back(draft):
    save_draft(ID, draft)
    assert load_draft(ID) == draft
    automatic = draft.model_copy(update={"plan": None})
    save_draft(ID, automatic)
    assert load_draft(ID) == automatic
    assert [path.name for path in drafts_folder().iterdir()] == [f"{ID}.json"]


def test_the_oldest_are_forgotten(draft, monkeypatch):
    monkeypatch.setattr(module, "MOST", 3)
    bare = draft.model_copy(update={"plan": None})
    ids = [new_id() for _ in range(5)]
    for age, identity in enumerate(ids):
        save_draft(identity, bare)
        os.utime(drafts_folder() / f"{identity}.json", (1000 + age, 1000 + age))
    save_draft(ids[0], bare)  # used again: the second is the oldest now
    kept = {path.stem for path in drafts_folder().iterdir()}
    assert kept == {ids[0], ids[3], ids[4]}
    with pytest.raises(InputError, match=f"there is no draft `{ids[1]}` here: the 3 latest are kept"):
        load_draft(ids[1])


@pytest.mark.parametrize("name", ["", "../plan", "0123456789AB", "0" * 13, "0" * 1000, "..%2F..%2Fx"])
def test_an_id_is_no_path(name, draft):
    for use in (lambda: load_draft(name), lambda: save_draft(name, draft)):
        with pytest.raises(InputError, match="the id of a draft has 12 hexadecimal digits: found"):
            use()


def test_a_damaged_draft_says_so(draft):
    save_draft(ID, draft)
    path = drafts_folder() / f"{ID}.json"
    whole = path.read_text()
    path.write_text(whole[:200])
    with pytest.raises(InputError, match="must be JSON"):
        load_draft(ID)
    path.write_text(json.dumps(json.loads(whole) | {"clusters": "many"}))
    with pytest.raises(InputError, match=f"the draft `{ID}` is damaged: `clusters`: .* valid integer"):
        load_draft(ID)
    path.write_text(json.dumps(json.loads(whole) | {"version": 9}))
    with pytest.raises(InputError, match="is a draft of version 9; this program .* reads up to 2"):
        load_draft(ID)


def test_a_draft_of_another_teacher_is_refused(draft):
    draft.check_teacher(draft.teacher)
    with pytest.raises(InputError, match="this draft was made for another teacher: expected weights"):
        draft.check_teacher("ffff")
    foreign = draft.plan.teacher.model_copy(update={"hash": "eeee"})
    theirs = draft.plan.model_copy(update={"teacher": foreign})
    under = Waiting(metric="cka_linear", method="pursuhint", clusters=3, plan=theirs)
    for mixed in ({"plan": theirs}, {"waiting": (under,)}):
        with pytest.raises(InputError, match="this plan was made for another teacher"):
            draft.model_copy(update=mixed).check_teacher(draft.teacher)

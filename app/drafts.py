"""The work at a hint plan survives a reload: it is kept on disk, and the address names it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app import cached, current, state
from app.choices import Choice, KeptDraft
from pursuhint.drafts import Draft, Waiting, load_draft, new_id, save_draft
from pursuhint.errors import InputError

PARAMETER = "draft"
"""In the address: the id of the draft, once something was changed."""


def follow_address() -> None:
    """Open the draft that the address of a new visit names; later keep what was changed, and its id there.

    Raises:
        InputError: no such draft, a damaged one, or one that does not fit the teacher; the automatic plan is
            shown in its place.
        StorageError: it cannot be kept.
    """
    mine = state.get()
    if not mine.draft.looked:
        mine.draft = replace(mine.draft, looked=True)
        if named := st.query_params.pop(PARAMETER, ""):
            _open(named)
    _keep(mine)
    if mine.draft.id:
        st.query_params[PARAMETER] = mine.draft.id
    else:
        st.query_params.pop(PARAMETER, None)


def _open(identity: str) -> None:
    """Take over a draft, once it is known that the plan can be made and drawn."""
    draft, analysis = load_draft(identity), current.analysis()
    if analysis is None:
        raise InputError("there is no teacher to compare the draft with; open one on the Teacher page")
    draft.check_teacher(analysis.card.teacher.hash)
    current.check_drawable(analysis, Choice.of_draft(draft), draft.plan)
    state.get().recall(draft, identity)


def _keep(mine: state.AppState) -> None:
    """Write what differs from the last draft; a visit that changed nothing leaves none."""
    if mine.teacher is None or (mine.choice == mine.begun and not (mine.edited or mine.draft.id)):
        return
    teacher = cached.analysis(mine.teacher).card.teacher.hash
    waiting = (
        Waiting(plan=plan, **vars(choice)) for choice, plan in mine.edited.items() if choice != mine.choice
    )
    content = Draft(teacher=teacher, plan=mine.step.plan, waiting=tuple(waiting), **vars(mine.choice))
    if content != mine.draft.content:
        identity = mine.draft.id if mine.draft.own else new_id()
        if mine.draft.id and not mine.draft.own:
            said = "You go on with a copy; the draft as it was keeps its address"
            st.toast(said, icon=":material/file_copy:")
        save_draft(identity, content)  # where that fails, the next run of the page tries again
        mine.draft = KeptDraft(looked=True, id=identity, own=True, content=content)

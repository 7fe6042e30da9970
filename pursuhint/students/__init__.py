"""Students: what is known of one before it is trained, and the ones that are proposed for a teacher."""

from __future__ import annotations

from pursuhint.students.card import StudentCard, describe_student
from pursuhint.students.latency import measure_latency
from pursuhint.students.proposal import Proposal, propose_students
from pursuhint.students.target import Target, parse_target

__all__ = [
    "Proposal",
    "StudentCard",
    "Target",
    "describe_student",
    "measure_latency",
    "parse_target",
    "propose_students",
]

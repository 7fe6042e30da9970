from __future__ import annotations

from pursuhint.cli.class_table import class_rows


def test_a_class_without_images_and_a_student_without_a_teacher():
    columns = {"n": [2, 0], "student": [0.5, None]}
    alone = {"n": 2, "classes": ["a", "b"], "student": {"accuracy": 0.5}, "per_class": columns}
    assert class_rows(alone) == [("all", "2", "50.00 %", "-", "–", "–"), ("a", "2", "50.00 %", "-", "–", "–")]
    columns |= {"teacher": [1.0, None], "change": [-0.5, None]}
    columns |= {"change_low": [-0.9, None], "change_high": [0.2, None]}
    beside = alone | {"teacher": {"accuracy": 1.0}, "change": {"accuracy": -0.5, "interval": [-0.9, 0.2]}}
    row = ("2", "50.00 %", "100.00 %", "-50.0", "-90.0 to +20.0")
    assert class_rows(beside) == [("all", *row), ("a", *row)]

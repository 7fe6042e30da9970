"""Stages of the layers that were compared."""

from __future__ import annotations

from pursuhint.layers import Layer
from pursuhint.stages import StageSpan, stage_spans

KNOWN = [
    Layer("stem", "Conv2d", (16, 32, 32), 0, 0),
    Layer("a", "Block", (16, 32, 32), 0, 0),
    Layer("b", "Block", (32, 16, 16), 0, 1),
    Layer("c", "Block", (32, 16, 16), 0, 1),
]


def test_layers_that_were_left_out_do_not_count():
    assert stage_spans(("a", "b", "c"), KNOWN) == (
        StageSpan(0, 1, "16 ch · 32×32"),
        StageSpan(1, 2, "32 ch · 16×16"),
    )
    assert stage_spans(("b",), KNOWN) == (StageSpan(0, 1, "32 ch · 16×16"),)


def test_a_layer_that_nobody_described_leaves_no_stages():
    assert stage_spans(("a", "other"), KNOWN) == ()
    assert stage_spans(("a",), []) == ()

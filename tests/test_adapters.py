"""How two layers meet, in words, and what cannot meet."""

from __future__ import annotations

import pytest

from pursuhint.adapters import describe_adapter, describe_adapters, token_grid
from pursuhint.errors import InputError
from pursuhint.pairs import Pair


@pytest.mark.parametrize(
    ("guided", "hint", "loss", "text", "parameters"),
    [
        (
            (32, 8, 8),
            (64, 16, 16),
            "fitnet",
            "1x1 convolution 32 -> 64 + batch norm, hint pooled 16x16 -> 8x8",
            32 * 64 + 2 * 64,
        ),
        ((64, 8, 8), (64, 8, 8), "fitnet", "1x1 convolution 64 -> 64 + batch norm", 64 * 64 + 2 * 64),
        (
            (16, 8, 4),
            (32, 4, 8),
            "fitnet",
            "1x1 convolution 16 -> 32 + batch norm, hint pooled 4x8 -> 4x4, guided pooled 8x4 -> 4x4",
            16 * 32 + 2 * 32,
        ),
        ((17, 8), (17, 12), "fitnet", "linear 8 -> 12 + layer norm", 8 * 12 + 12 + 2 * 12),
        (
            (197, 192),
            (64, 7, 7),
            "fitnet",
            "1x1 convolution 192 -> 64 + batch norm, guided tokens as 14x14, guided pooled 14x14 -> 7x7",
            192 * 64 + 2 * 64,
        ),
        ((10,), (20,), "fitnet", "linear 10 -> 20 + batch norm", 10 * 20 + 2 * 20),
        ((10,), (20, 4, 4), "fitnet", "linear 10 -> 20 + batch norm, hint: mean over positions", 240),
        ((4, 8, 8), (6, 8, 8), "vid", "three 1x1 convolutions 4 -> 6", 4 * 6 + 2 * 6 * 6 + 6),
        ((17, 4), (17, 6), "vid", "three linear layers 4 -> 6", 4 * 6 + 2 * 6 * 6 + 6),
        ((4, 8, 8), (6, 8, 8), "at", "none", 0),
        ((4, 8, 8), (6, 4, 4), "nst", "guided pooled 8x8 -> 4x4", 0),
        ((4, 8, 8), (6, 4, 4), "sp", "none: all of 256 and 96 numbers", 0),
        ((4, 8, 8), (6, 4, 4), "rkd", "mean over positions", 0),
        ((4,), (6,), "cka", "none", 0),
        ((4, 8, 8), (17, 6), "crd", "mean over positions, linear 4 -> 128 and 6 -> 128", 128 * (5 + 7)),
    ],
)
def test_the_words_and_the_size(guided, hint, loss: str, text: str, parameters: int):
    adapter = describe_adapter(guided, hint, loss)
    assert (adapter.text, adapter.parameters) == (text, parameters)


def test_the_grid_is_the_smaller_one_each_way():
    assert describe_adapter((4, 4, 8), (4, 8, 2), "at").grid == (4, 2)
    assert describe_adapter((17, 8), (17, 8), "at").grid == (4, 4)
    assert describe_adapter((17, 8), (17, 8), "fitnet").grid is None


@pytest.mark.parametrize(
    ("tokens", "expected"), [(49, (0, 7)), (50, (1, 7)), (198, (2, 14)), (3, (2, 1)), (8, None), (1, (0, 1))]
)
def test_tokens_that_fill_a_square(tokens: int, expected):
    assert token_grid(tokens) == expected


@pytest.mark.parametrize(
    ("guided", "hint", "loss", "message"),
    [
        (
            (16,),
            (32, 4, 4),
            "at",
            r"the hint loss `at` compares maps \(c, h, w\) or square grids of tokens; found \(32, 4, 4\) at "
            r"the hint point `t` and \(16,\) at the guided layer `s`; choose another layer for this pair, or "
            r"one of "
            r"`sp`, `crd`, `pkt`, `cc`, `rkd`, `cka`, which take any shapes",
        ),
        (
            (16, 1, 1),
            (32, 4, 4),
            "nst",
            r"grids of tokens with at least 2 positions in common; found \(32, 4, 4\)",
        ),
        ((8, 12), (32, 4, 4), "fitnet", r"`fitnet` compares maps .* found \(32, 4, 4\) .* and \(8, 12\) at"),
    ],
)
def test_what_cannot_meet_names_layers_shapes_and_what_to_do(guided, hint, loss: str, message: str):
    with pytest.raises(InputError, match=message):
        describe_adapter(guided, hint, loss, pair=Pair("t", "s"))


def test_attention_then_contrast_describes_each_pair_by_its_own_loss():
    shapes = {"a": (8, 4, 4), "b": (8, 4, 4)}
    pairs = [Pair("a", "a"), Pair("b", "b")]
    texts = [adapter.text for adapter in describe_adapters(pairs, shapes, shapes, "at+crd")]
    assert texts == ["none", "mean over positions, linear 8 -> 128 and 8 -> 128"]
    with pytest.raises(AssertionError, match="has a loss of its own, see `loss_of_pair`"):
        describe_adapter((8, 4, 4), (8, 4, 4), "at+crd")
    with pytest.raises(InputError, match=r"`at\+crd` is .* and needs at least 2 pairs; found 1; add a hint"):
        describe_adapters(pairs[:1], shapes, shapes, "at+crd")


def test_an_unknown_loss_is_refused():
    with pytest.raises(InputError, match="unknown hint loss `vit`: did you mean `vid`"):
        describe_adapter((4, 4, 4), (4, 4, 4), "vit")

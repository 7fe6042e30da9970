"""What `pursuhint.adapters` describes, built: bringing two layers together, and the trainable regressors."""

from __future__ import annotations

from torch import Tensor, nn

from pursuhint.adapters import Adapter, describe_adapter
from pursuhint.losses.base import as_map, full_precision, to_grid
from pursuhint.losses.rows import pooled_rows


def meet(features: Tensor, adapter: Adapter, layer: str) -> Tensor:
    """Bring one side's features to the form and the grid in which a pair is compared.

    Args:
        features: a layer's output, (n, c, h, w), (n, tokens, c) or (n, c).
        adapter: of the pair.
        layer: its name, for messages.

    Returns:
        float32; shape (n, c, *grid), (n, tokens, c) or (n, c).
    """
    if adapter.form == "maps":
        return to_grid(as_map(features, layer), adapter.grid)
    return full_precision(features) if adapter.form == "tokens" else pooled_rows(features)


def build_adapter(guided_shape: tuple[int, ...], hint_shape: tuple[int, ...], loss: str) -> nn.Sequential:
    """Build the regressor of a pair: from the guided layer's channels to the hint's, position by position.

    Args:
        guided_shape: the student layer's output for one image.
        hint_shape: the same of the hint point.
        loss: ``fitnet`` or ``vid``.

    Returns:
        A network for what `meet` returns of the guided layer.

    Raises:
        InputError: the loss cannot compare such layers.

    Example:
        >>> [type(layer).__name__ for layer in build_adapter((4, 8, 8), (6, 8, 8), "fitnet")]
        ['Conv2d', 'BatchNorm2d']
    """
    adapter = describe_adapter(guided_shape, hint_shape, loss)
    guided, hint = adapter.widths
    if loss == "vid":
        layers = [_linear(adapter, wide, hint) for wide in (guided, hint, hint)]
        return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2])
    if adapter.form == "tokens":
        # Unlike a batch norm, a layer norm takes away the mean over channels: the bias is not idle here.
        return nn.Sequential(nn.Linear(guided, hint), nn.LayerNorm(hint))
    norm = nn.BatchNorm2d if adapter.form == "maps" else nn.BatchNorm1d
    return nn.Sequential(_linear(adapter, guided, hint), norm(hint))


def _linear(adapter: Adapter, guided: int, hint: int) -> nn.Module:
    if adapter.form == "maps":
        return nn.Conv2d(guided, hint, kernel_size=1, bias=False)
    return nn.Linear(guided, hint, bias=False)

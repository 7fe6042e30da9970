"""The head of a network: the tensors that the number of classes gives their shape, and a new one."""

from __future__ import annotations

from dataclasses import replace

from pursuhint.models import BuiltModel, new_network


def head_names(spec: str, *, classes: int) -> tuple[str, ...]:
    """Return the names of the tensors that the number of classes gives their shape.

    Args:
        spec: see `pursuhint.models.parse_spec`.
        classes: number of outputs.

    Returns:
        Names as in the network's state dict, in its order; all other tensors are its trunk.

    Raises:
        InputError: unknown name, or timm is not installed.

    Example:
        >>> head_names("zoo:resnet20", classes=10)
        ('linear.weight', 'linear.bias')
    """
    here, other = (_shapes(spec, count) for count in (classes, classes + 1))
    return tuple(name for name, shape in here.items() if shape != other[name])


def _shapes(spec: str, classes: int) -> dict[str, tuple[int, ...]]:
    import torch

    try:
        with torch.device("meta"):
            _, model = new_network(spec, classes=classes)
    except RuntimeError:  # some networks begin with operations that need a real device
        _, model = new_network(spec, classes=classes)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def with_new_head(built: BuiltModel, *, classes: int) -> BuiltModel:
    """Return a network for another number of classes: the same trunk, a head with new random weights.

    Args:
        built: with weights; it is left as it is.
        classes: number of outputs of the new one, another than that of `built`.

    Example:
        >>> from pursuhint.models import build_model
        >>> with_new_head(build_model("zoo:resnet20", classes=10), classes=3).model.linear
        Linear(in_features=64, out_features=3, bias=True)
    """
    from pursuhint.checkpoints import hash_weights

    _, model = new_network(built.spec, classes=classes)
    before, fresh = built.model.state_dict(), model.state_dict()
    same = {name: tensor for name, tensor in before.items() if tensor.shape == fresh[name].shape}
    model.load_state_dict(fresh | same)
    return replace(
        built,
        model=model,
        classes=classes,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        hash=hash_weights(model.state_dict()),
    )

"""Weights that torchvision and timm publish for their networks: from the local cache, else fetched once."""

from __future__ import annotations

from pathlib import Path

from pursuhint.errors import InputError
from pursuhint.models import ModelSpec, parse_spec

DEFAULT = "default"
"""What stands in place of a file's path for the published weights."""
WITH_WEIGHTS = ("torchvision", "timm")
"""Sources of networks that have published weights."""


def check_published(spec: str) -> None:
    """Raise InputError for a network of a source that publishes no weights; imports nothing heavy.

    Example:
        >>> check_published("torchvision:resnet18")
    """
    source, colon, _ = spec.partition(":")
    if colon and source not in WITH_WEIGHTS:
        raise InputError(
            f"`{spec}` has no published weights, only torchvision's and timm's networks have; name a "
            "checkpoint file"
        )


def published_weights(spec: str) -> Path:
    """Return the file of a network's published weights, of torchvision the best ones.

    It is looked for where torch and the Hugging Face hub keep what they fetch, and else fetched.

    Args:
        spec: see `pursuhint.models.parse_spec`.

    Raises:
        InputError: the network has none, or they can be neither found nor fetched.
    """
    wanted = parse_spec(spec)
    check_published(str(wanted))
    return _torchvision_file(wanted) if wanted.source == "torchvision" else _timm_file(wanted)


def _torchvision_file(wanted: ModelSpec) -> Path:
    import torch
    import torchvision

    address = torchvision.models.get_model_weights(wanted.name).DEFAULT.url
    path = Path(torch.hub.get_dir()) / "checkpoints" / address.rpartition("/")[2]
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(address, str(path), hash_prefix=path.stem[-8:], progress=False)
        except (
            OSError,
            RuntimeError,
        ) as error:  # no network, a full disk; another content than its name says
            raise _not_there(wanted, f"not at `{path}`", address, error) from error
    return path


def _timm_file(wanted: ModelSpec) -> Path:
    import timm

    published = timm.get_pretrained_cfg(wanted.name)
    if published is None or not published.hf_hub_id:
        raise InputError(f"`{wanted}` has no published weights; name a checkpoint file")
    from huggingface_hub import hf_hub_download

    name = published.hf_hub_filename or "model.safetensors"
    try:
        return Path(hf_hub_download(published.hf_hub_id, name))
    except Exception as error:  # the hub's client has two dozen kinds
        raise _not_there(
            wanted, "not in the hub's cache", f"https://huggingface.co/{published.hf_hub_id}", error
        ) from error


def _not_there(wanted: ModelSpec, where: str, address: str, error: Exception) -> InputError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return InputError(
        f"the published weights of `{wanted}` are {where} and cannot be fetched from {address} ({reason}); "
        "bring the file here and name it with `--weights`"
    )

"""Preprocessing recipes: reading and writing them, and what they compute."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from pursuhint.errors import InputError
from pursuhint.preprocess import KNOWN, Preprocess, parse_preprocess


def images(height: int = 8, width: int = 8, count: int = 2) -> np.ndarray:
    """Smooth random colours, uint8, (count, height, width, 3)."""
    coarse = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), np.uint8)
    resized = [Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC) for image in coarse]
    return np.stack([np.asarray(image) for image in resized])


@pytest.mark.parametrize("name", KNOWN)
def test_known_recipes_subtract_the_mean_and_divide_by_the_deviation(name: str) -> None:
    recipe, pixels = KNOWN[name], images()
    expected = (pixels.astype(np.float64) / 255 - recipe.mean) / recipe.std
    out = recipe.apply(pixels)
    assert (out.dtype, out.shape, out.is_contiguous()) == (torch.float32, (2, 3, 8, 8), True)
    np.testing.assert_allclose(out.numpy(), expected.transpose(0, 3, 1, 2), rtol=0, atol=1e-5)


def test_published_statistics() -> None:
    assert (KNOWN["imagenet"].mean, KNOWN["imagenet"].std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert list(KNOWN) == ["imagenet", "cifar10", "cifar100", "digits", "none"]


def test_the_digits_recipe_holds_their_own_statistics() -> None:
    from sklearn.datasets import load_digits

    pixels = load_digits().images / 16
    assert abs(KNOWN["digits"].mean[0] - pixels.mean()) < 0.002
    assert abs(KNOWN["digits"].std[0] - pixels.std()) < 0.002


def test_tensors_and_arrays_give_the_same() -> None:
    pixels = images()
    assert torch.equal(KNOWN["cifar10"].apply(pixels), KNOWN["cifar10"].apply(torch.from_numpy(pixels)))


def test_the_input_is_left_as_it_was() -> None:
    pixels = images()
    before = pixels.copy()
    KNOWN["none"].apply(pixels)
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_resize_and_crop_follow_torchvisions_own_preset(interpolation: str) -> None:
    from torchvision.transforms._presets import ImageClassification
    from torchvision.transforms.functional import InterpolationMode

    pixels = images(64, 96)
    preset = ImageClassification(
        crop_size=28, resize_size=32, interpolation=InterpolationMode(interpolation), antialias=True
    )
    expected = torch.stack([preset(Image.fromarray(image)) for image in pixels])
    out = parse_preprocess(f"imagenet/32/28/{interpolation}").apply(pixels)
    assert out.shape == (2, 3, 28, 28)
    # torchvision resizes PIL images here and tensors there: the rounding differs by one grey level at most.
    torch.testing.assert_close(out, expected, rtol=0, atol=1.01 / 255 / 0.224)


def test_a_size_alone_resizes_the_short_side_and_crops_the_square() -> None:
    assert parse_preprocess("none/16").apply(images(8, 24)).shape == (2, 3, 16, 16)


def test_resize_without_crop_keeps_the_aspect() -> None:
    assert parse_preprocess("none/16/").apply(images(8, 24)).shape == (2, 3, 16, 48)


def test_crop_without_resize_takes_the_centre() -> None:
    pixels = images(8, 8)
    out = parse_preprocess("none//4").apply(pixels)
    np.testing.assert_array_equal(out.numpy(), KNOWN["none"].apply(pixels)[:, :, 2:6, 2:6].numpy())


@pytest.mark.parametrize(
    "text",
    [
        *KNOWN,
        "imagenet/256/224",
        "imagenet/256/224/bicubic",
        "cifar10/64",
        "none/16/",
        "none//4",
        "digits///nearest",
        "0.1,0.2,0.3/0.4,0.5,0.6",
        "-0.1,0,1e-3/1,2,3/32",
    ],
)
def test_written_recipes_read_back_equal(text: str) -> None:
    recipe = parse_preprocess(text)
    assert recipe.name == text
    assert parse_preprocess(recipe.text) == recipe


def test_equal_recipes_may_have_other_names() -> None:
    renamed = Preprocess("my own", KNOWN["imagenet"].mean, KNOWN["imagenet"].std)
    assert renamed == KNOWN["imagenet"] == parse_preprocess("0.485,0.456,0.406/0.229,0.224,0.225")
    assert renamed.text == "imagenet"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("imagnet", "unknown preprocess `imagnet`: did you mean `imagenet`"),
        ("", "unknown preprocess ``"),
        ("0.5,0.5,0.5", "a preprocess must be one of imagenet,"),
        ("0.5,0.5/0.5,0.5", "with three numbers each, found `0.5,0.5/0.5,0.5`"),
        ("0.5,0.5,x/1,1,1", "with three numbers each, found `0.5,0.5,x/1,1,1`"),
        ("nan,0,0/1,1,1", "with three numbers each, found `nan,0,0/1,1,1`"),
        ("0,0,0/1,inf,1", "with three numbers each, found `0,0,0/1,inf,1`"),
        ("0,0,0/1,0,1", "every deviation of the preprocess must be above 0, found `0,0,0/1,0,1`"),
        ("imagenet/0", "a size of the preprocess must be 1 to 4096 pixels, found `0` in `imagenet/0`"),
        ("imagenet/large", "1 to 4096 pixels, found `large`"),
        ("imagenet/99999", "1 to 4096 pixels, found `99999`"),
        ("imagenet/256/224/bicubc", "unknown interpolation `bicubc`: did you mean `bicubic`"),
        ("imagenet/256/224/bicubic/1", "with three numbers each, found `imagenet/256/224/bicubic/1`"),
    ],
)
def test_bad_recipes(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_preprocess(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (np.zeros((2, 8, 8, 3), np.float32), r"found torch.float32 of shape \(2, 8, 8, 3\)"),
        (np.zeros((2, 3, 8, 8), np.uint8), r"found torch.uint8 of shape \(2, 3, 8, 8\)"),
        (np.zeros((8, 8, 3), np.uint8), r"found torch.uint8 of shape \(8, 8, 3\)"),
    ],
)
def test_images_of_another_form_are_refused(bad: np.ndarray, found: str) -> None:
    with pytest.raises(InputError, match=r"`images` must be uint8 of shape \(N, H, W, 3\), " + found):
        KNOWN["none"].apply(bad)


def test_reading_a_recipe_imports_no_torch() -> None:
    code = "import sys; from pursuhint.preprocess import parse_preprocess as p; p('imagenet/32'); "
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Proposals: near the target, nothing nearer, never larger than the teacher, of all three kinds."""

from __future__ import annotations

import math

import pytest

from pursuhint.errors import InputError
from pursuhint.students import Proposal, Target, describe_student, propose_students
from pursuhint.students.automatic import automatic_student
from pursuhint.students.relatives import family_of
from pursuhint.zoo import ZOO, parse_zoo_name
from pursuhint.zoo.sizes import zoo_flops, zoo_parameters

IMAGE = (3, 32, 32)
TEACHERS = ["resnet56", "resnet110", "wrn_40_2", "resnet56?variant=b", "resnet32x4"]


@pytest.mark.parametrize("teacher", TEACHERS)
def test_the_first_proposal_is_within_two_per_cent_and_sorted(teacher: str):
    found = propose_students(f"zoo:{teacher}", 10, IMAGE)
    assert found[0].compression == pytest.approx(2.5, rel=0.02)
    misses = [abs(math.log(one.compression / 2.5)) for one in found]
    assert misses == sorted(misses)
    depths = [parse_zoo_name(one.spec.removeprefix("zoo:")).architecture.depth for one in found]
    assert len(set(depths)) == len(depths)


@pytest.mark.parametrize("by", ["parameters", "flops"])
@pytest.mark.parametrize("teacher", ["resnet56", "resnet20?width=0.7", "wrn_40_2", "resnet32x4"])
def test_nothing_that_is_allowed_is_nearer(teacher: str, by: str):
    """Try every depth and every width in steps of 0.005 anew."""
    parsed = parse_zoo_name(teacher)
    most = parsed.architecture.scaled(parsed.width)
    variant = f"&variant={parsed.variant}" if parsed.variant else ""

    def size(name: str) -> int:
        one = parse_zoo_name(name)
        return zoo_parameters(one, 10) if by == "parameters" else zoo_flops(one, 10, IMAGE)

    names = [f"{row}?width={step / 200}{variant}" for row in ZOO for step in range(10, 401)]
    allowed = [
        name
        for name in names
        if name[:3] == teacher[:3]
        and (one := parse_zoo_name(name)).architecture.depth <= parsed.architecture.depth
        and all(mine <= his for mine, his in zip(one.architecture.scaled(one.width), most, strict=True))
    ]
    least = min(abs(math.log(size(teacher) / size(name) / 4)) for name in allowed)
    (best,) = propose_students(f"zoo:{teacher}", 10, IMAGE, compression=4, by=by, count=1)
    ratio = best.compression if by == "parameters" else best.flops_ratio
    assert abs(math.log(ratio / 4)) == pytest.approx(least, abs=1e-12)


def test_the_family_is_narrower_shallower_or_both():
    found = {one.spec for one in family_of("zoo:resnet20", 10, IMAGE)}
    assert {"zoo:resnet20?width=0.5", "zoo:resnet14", "zoo:resnet8?width=0.25", "zoo:resnet20"} <= found
    assert not {"zoo:resnet32", "zoo:resnet20?width=1.125", "zoo:resnet8x4"} & found
    assert {"zoo:wrn_40_1", "zoo:wrn_16_2"} <= {one.spec for one in family_of("zoo:wrn_40_2", 10, IMAGE)}


def test_a_network_with_two_names_is_listed_once_under_the_shorter():
    found = [one.spec for one in family_of("zoo:resnet8", 10, IMAGE)]
    assert "zoo:resnet8" in found and "zoo:resnet8?width=0.995" not in found  # round(64 * 0.995) is 64
    widths = [parse_zoo_name(one.removeprefix("zoo:")) for one in found]
    assert len({one.architecture.scaled(one.width) for one in widths}) == len(found)


def test_no_student_is_as_large_as_its_teacher():
    for compression in (1.001, 1.2, 300):
        teacher = describe_student("zoo:resnet14", 10, IMAGE)
        for one in propose_students("zoo:resnet14", 10, IMAGE, compression=compression, count=9):
            assert one.parameters < teacher.parameters and one.flops <= teacher.flops


def test_the_figures_are_those_of_the_networks():
    teacher = describe_student("zoo:resnet14", 10, IMAGE)
    for one in propose_students("zoo:resnet14", 10, IMAGE, compression=4, by="flops"):
        card = describe_student(one.spec, 10, IMAGE)
        assert (one.parameters, one.flops, one.layers) == (card.parameters, card.flops, len(card.layers))
        assert one.compression == teacher.parameters / card.parameters
        assert one.flops_ratio == teacher.flops / card.flops
        assert one.latency is None


def test_the_built_in_teacher_gets_what_its_architecture_gets():
    built_in = propose_students("builtin:digits-resnet56", 10, (3, 8, 8))
    assert built_in == propose_students("zoo:resnet56", 10, (3, 8, 8))


def test_torchvision_teachers_get_their_namesakes():
    """Sizes as torchvision publishes them."""
    found = propose_students("torchvision:resnet50", 1000, (3, 224, 224))
    assert [(one.spec, one.parameters) for one in found] == [
        ("torchvision:resnet18", 11_689_512),
        ("torchvision:resnet34", 21_797_672),
    ]
    assert [round(one.flops / 2e9, 2) for one in found] == [1.81, 3.66]  # GFLOPS there count a product as one


def test_timm_teachers_get_their_namesakes():
    (found,) = propose_students("timm:vit_small_patch16_224", 1000, (3, 224, 224))
    assert (found.spec, found.parameters) == ("timm:vit_tiny_patch16_224", 5_717_416)


LARGE = (3, 224, 224)


@pytest.mark.parametrize(
    ("teacher", "image", "other"),
    [
        ("torchvision:alexnet", LARGE, "torchvision:mobilenet_v2"),  # the ResNets have more FLOPs
        ("torchvision:googlenet", LARGE, "torchvision:mobilenet_v2"),
        ("torchvision:resnext50_32x4d", LARGE, "torchvision:resnet18"),
        ("torchvision:mobilenet_v2", LARGE, ""),
        ("zoo:resnet8?width=0.05", IMAGE, ""),
        ("torchvision:densenet121", (3, 96, 96), "zoo:resnet20?width=1.125"),
    ],
)
def test_a_family_with_nothing_smaller_is_refused(teacher: str, image: tuple[int, int, int], other: str):
    """What is suggested in place of it is smaller than the teacher, if anything is."""
    message = f"nothing smaller than `{teacher}` is known of its family; name a student of another one"
    with pytest.raises(InputError) as caught:
        propose_students(teacher, 10, image)
    assert str(caught.value) == message + (f", such as `{other}`" if other else "")
    if other:
        large, small = (describe_student(spec, 10, image) for spec in (teacher, other))
        assert small.parameters < large.parameters and small.flops <= large.flops


@pytest.mark.parametrize(
    ("teacher", "target", "ratio"),
    [
        ("torchvision:squeezenet1_0", {}, "1.02 times fewer parameters than its teacher, where 2.5 times"),
        (
            "zoo:resnet20",
            {"compression": 1e5},
            "899.07 times fewer parameters than its teacher, where 100000",
        ),
        (
            "zoo:resnet8",
            {"compression": 1e4, "by": "flops"},
            "times fewer FLOPs than its teacher, where 10000",
        ),
    ],
)
def test_a_proposal_that_misses_the_target_says_so(teacher: str, target: dict, ratio: str):
    (found,) = propose_students(teacher, 10, IMAGE, **target, count=1)
    assert found.remark.startswith(f"`{found.spec}` has ") and f"{ratio} " in found.remark.replace(";", " ")
    assert found.as_dict()["remark"] == found.remark


def test_a_proposal_near_the_target_says_nothing():
    assert propose_students("zoo:resnet20", 10, IMAGE, count=1)[0].remark == ""
    card = describe_student("zoo:resnet20", 10, IMAGE)
    assert Proposal.of(card, card).remark == ""
    said = [bool(Target(2).remark("zoo:resnet8", ratio)) for ratio in (1.5, 1.7, 2.4, 2.6)]
    assert said == [True, False, False, True]


def test_an_automatic_student_that_is_hardly_smaller_is_refused(tiny_plan):
    teacher = tiny_plan.teacher.model_copy(
        update={"spec": "torchvision:squeezenet1_0", "preprocess": "digits/64"}
    )
    plan = tiny_plan.model_copy(update={"teacher": teacher})
    message = (
        "a student with 2.5 times fewer parameters than `torchvision:squeezenet1_0` is wanted, and the "
        "nearest of its family, `torchvision:squeezenet1_1`, has 1.02 times fewer; name that one if you mean "
        "it, or one of another family"
    )
    with pytest.raises(InputError) as caught:
        automatic_student(Target(), plan)
    assert str(caught.value).startswith(message)
    with pytest.raises(InputError, match="has 1.02 times fewer; name that one"):
        automatic_student(Target(1.5), plan)
    assert automatic_student(Target(1.4), plan)[1].spec == "torchvision:squeezenet1_1"
    assert automatic_student(Target(2.5, "flops"), plan)[1].remark == ""


def test_no_proposals_at_all_are_refused():
    with pytest.raises(InputError, match="`count` must be at least 1; found 0"):
        propose_students("zoo:resnet8", 10, IMAGE, count=0)

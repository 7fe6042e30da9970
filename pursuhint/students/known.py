"""Students that are known to be good ones, whatever the family of the teacher."""

from __future__ import annotations

from pursuhint.students.card import StudentCard, describe_student

SMALL_IMAGE = 96
"""Side up to which networks of the CIFAR zoo are suggested; above it torchvision's."""
SMALL_STUDENTS = (
    "zoo:resnet20?width=1.125",
    "zoo:resnet32",
    "zoo:resnet20",
    "zoo:resnet14",
    "zoo:resnet8",
    "zoo:resnet8?width=0.25",
    "zoo:wrn_16_2",
    "zoo:wrn_40_1",
    "zoo:wrn_16_1",
)
LARGE_STUDENTS = ("torchvision:resnet34", "torchvision:resnet18", "torchvision:mobilenet_v2")


def smaller_students(
    teacher: StudentCard, classes: int, image_shape: tuple[int, int, int]
) -> list[StudentCard]:
    """Describe the known students with fewer parameters than a teacher, the largest first.

    Args:
        teacher: what is known of it.
        classes: number of outputs.
        image_shape: channels, height, width.
    """
    names = SMALL_STUDENTS if max(image_shape[1:]) <= SMALL_IMAGE else LARGE_STUDENTS
    cards = (describe_student(name, classes, image_shape) for name in names)
    smaller = (card for card in cards if card.parameters < teacher.parameters)
    return sorted(smaller, key=lambda card: -card.parameters)

"""What the lesson shows, worked out from the built-in teacher's features and from real short trainings."""

from pursuhint.lesson.chance import RealAndShuffled, by_image_count
from pursuhint.lesson.neighbours import same_class_neighbours
from pursuhint.lesson.stand_ins import nearest_hint, stand_in_scores
from pursuhint.lesson.trainings import Gain, Place, Strength, Trainings, gain_limits, gains, load_trainings

__all__ = [
    "Gain",
    "Place",
    "RealAndShuffled",
    "Strength",
    "Trainings",
    "by_image_count",
    "gain_limits",
    "gains",
    "load_trainings",
    "nearest_hint",
    "same_class_neighbours",
    "stand_in_scores",
]

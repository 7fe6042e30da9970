"""What an analysis is of."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pursuhint.plan import TeacherRef

FORMAT = 1


class AnalysisCard(BaseModel):
    """What an analysis is of; written last in its first stage, so its presence means the features are whole.

    Attributes:
        flops: of the teacher for one image, a multiply-add being two; None where they were not counted yet.
        seen_accuracy: on the probe images, on which the teacher was usually trained.
        note: how the weights were matched and the preprocessing was found.
        key: what the features are of, see `content_key`.
        checksums: CRC-32 of each file of features, in depth order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    teacher: TeacherRef
    parameters: int
    flops: int | None = None
    data: str
    data_id: str
    classes: tuple[str, ...]
    input_shape: tuple[int, int, int]
    pooling: str
    samples: int
    layers: tuple[dict[str, Any], ...]
    seen_accuracy: float
    note: str
    versions: dict[str, str]
    key: str = ""
    checksums: tuple[int, ...] = ()

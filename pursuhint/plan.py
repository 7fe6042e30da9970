"""The hint plan: which layers are hint points, for which teacher, found how, and what a person changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pursuhint.errors import InputError, one_line, unknown
from pursuhint.files import in_bytes, parse_json, read_json, write_json
from pursuhint.formats import check_version
from pursuhint.pairs import Pair

if TYPE_CHECKING:
    from pursuhint.clustering import Clustering
    from pursuhint.similarity import SimilarityMatrix

VERSION = 1
LARGEST_PLAN = 10_000_000
"""Bytes of a plan that is uploaded; one of a million probe images has eight."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Row = Annotated[int, Field(ge=0, lt=2**63)]
"""A row of a data set, as int64 holds it."""


class TeacherRef(_Record):
    """Which teacher: how to load it again, and the hash that tells whether it is the same one."""

    spec: str
    weights: str | None = None
    hash: str
    classes: int = Field(ge=1, lt=2**31)
    preprocess: str


class Override(_Record):
    """One change that a person made to the automatic hint points."""

    action: Literal["add", "remove"]
    layer: str
    who: str = ""
    why: str = ""
    at: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


class HintPlan(_Record):
    """A saved choice of hint points.

    Attributes:
        teacher: the teacher it was made for.
        data: spec of the data set; `data_id` the hash of its content.
        sample_ids: the probe images, as rows of the data set.
        metric, pooling, method: how the clusters were found.
        layers: the layers that were clustered, in depth order.
        clusters: their names, cluster by cluster.
        centres: the automatic hint points: one a cluster, in depth order.
        overrides: what a person changed, in order.
        pairs: hint point -> guided layer, when a student was already chosen.
        silhouette: of the clustering; None where it is not defined.
    """

    version: Literal[1] = VERSION
    teacher: TeacherRef
    data: str
    data_id: str
    sample_ids: tuple[Row, ...]
    metric: str
    pooling: str
    method: str
    layers: tuple[str, ...]
    clusters: tuple[tuple[str, ...], ...]
    centres: tuple[str, ...]
    overrides: tuple[Override, ...] = ()
    pairs: tuple[Pair, ...] = ()
    silhouette: float | None = None

    @model_validator(mode="after")
    def _names_exist(self) -> HintPlan:
        if len(set(self.layers)) < len(self.layers):
            raise ValueError("`layers` must name each layer once")
        clustered = [name for cluster in self.clusters for name in cluster]
        if sorted(clustered) != sorted(self.layers):
            raise ValueError("`clusters` must hold every layer exactly once")
        strangers = set(self.centres) - set(self.layers)
        if strangers:
            raise ValueError(f"`centres` must be layers; found {sorted(strangers)}")
        strangers = {override.layer for override in self.overrides} - set(self.layers)
        if strangers:
            raise ValueError(f"`overrides` must name layers; found {sorted(strangers)}")
        if not self.hint_points:
            raise ValueError("at least one hint point must be left")
        strangers = {pair.hint for pair in self.pairs} - set(self.hint_points)
        if strangers:
            raise ValueError(f"`pairs` must start at hint points; found {sorted(strangers)}")
        return self

    @staticmethod
    def from_clustering(
        similarity: SimilarityMatrix,
        clustering: Clustering,
        *,
        teacher: TeacherRef,
        data: str,
        data_id: str,
        sample_ids: Iterable[int],
    ) -> HintPlan:
        """Build the automatic plan: the cluster centres are the hint points.

        Args:
            similarity: the matrix that was clustered.
            clustering: of its layers.
            teacher: see `pursuhint.teacher.Teacher.ref`.
            data: spec of the data set.
            data_id: hash of its content.
            sample_ids: the probe images.
        """
        return HintPlan(
            teacher=teacher,
            data=data,
            data_id=data_id,
            sample_ids=tuple(int(i) for i in sample_ids),
            metric=similarity.metric,
            pooling=similarity.pooling,
            method=clustering.method,
            layers=similarity.layers,
            clusters=clustering.clusters,
            centres=clustering.centres,
            silhouette=clustering.silhouette,
        )

    @property
    def hint_points(self) -> tuple[str, ...]:
        """The hint points in depth order: the centres with every override applied."""
        chosen = set(self.centres)
        for override in self.overrides:
            (chosen.add if override.action == "add" else chosen.discard)(override.layer)
        return tuple(name for name in self.layers if name in chosen)

    def with_override(
        self, action: Literal["add", "remove"], layer: str, *, who: str = "", why: str = ""
    ) -> HintPlan:
        """Return the plan with one more change; its pairs are dropped, for they were matched without it.

        Raises:
            InputError: the layer is unknown, is already (not) a hint point, or is the last one left.
        """
        if layer not in self.layers:
            raise unknown("layer", layer, self.layers)
        present = layer in self.hint_points
        if present == (action == "add"):
            raise InputError(
                f"`{layer}` is {'already' if present else 'not'} a hint point; nothing to {action}"
            )
        if action == "remove" and len(self.hint_points) == 1:
            raise InputError(f"`{layer}` is the last hint point; add another one before removing it")
        override = Override(action=action, layer=layer, who=who, why=why)
        return self.model_copy(update={"overrides": (*self.overrides, override), "pairs": ()})

    def toggled(self, layer: str) -> HintPlan:
        """Return the plan with the layer added to the hint points, or removed when it is one."""
        return self.with_override("remove" if layer in self.hint_points else "add", layer)

    def with_hint_points(self, layers: Iterable[str], *, who: str = "", why: str = "") -> HintPlan:
        """Return the plan with exactly these hint points, by as few more changes as it takes.

        Raises:
            InputError: no layer, or an unknown one.
        """
        wanted = list(layers)
        if not wanted:
            raise InputError("at least one hint point is needed: found none; name a layer")
        changed = self
        for layer in wanted:
            if layer not in changed.hint_points:
                changed = changed.with_override("add", layer, who=who, why=why)
        for layer in self.hint_points:
            if layer not in wanted:
                changed = changed.with_override("remove", layer, who=who, why=why)
        return changed

    def automatic(self) -> HintPlan:
        """Return the plan without any override."""
        return self.model_copy(update={"overrides": (), "pairs": ()})

    def check_teacher(self, teacher_hash: str) -> None:
        """Raise InputError when the plan was made for other weights than these."""
        if teacher_hash != self.teacher.hash:
            raise InputError(
                f"this plan was made for another teacher: expected weights {self.teacher.hash} "
                f"({self.teacher.spec}), found {teacher_hash}; make a plan for this teacher with "
                "`pursuhint hints`"
            )

    def save(self, path: Path) -> None:
        """Write the plan as JSON."""
        write_json(path, self.model_dump(mode="json"))

    @staticmethod
    def load(path: Path) -> HintPlan:
        """Read a plan.

        Raises:
            InputError: the file is missing, is no JSON, is of a newer version or is not a plan.
        """
        return HintPlan.from_json(read_json(path), source=str(path))

    @staticmethod
    def from_json(content: object, *, source: str = "the plan") -> HintPlan:
        """Build a plan from parsed JSON; errors name `source`."""
        check_version(content, VERSION, "a hint plan", source=source)
        try:
            return HintPlan.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "content"
            raise InputError(
                f"`{source}` is not a hint plan: `{one_line(place)}`: {one_line(first['msg'])}; make one "
                "with `pursuhint hints --out`"
            ) from None

    @staticmethod
    def from_text(text: str | bytes, *, source: str = "the plan") -> HintPlan:
        """Build a plan from the text of its file, as an upload brings it; errors name `source`."""
        if len(text) > LARGEST_PLAN:
            raise InputError(
                f"`{source}` has {in_bytes(len(text))}, and a hint plan at most {in_bytes(LARGEST_PLAN)}; "
                "choose the file that this page or `pursuhint hints --out` saved"
            )
        return HintPlan.from_json(parse_json(text, source=source), source=source)

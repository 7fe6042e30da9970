"""What a visitor's choices are made of: typed records that are replaced, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pursuhint.drafts import Draft, Grouping
from pursuhint.embedding import LayerMap
from pursuhint.hints import DEFAULT_CLUSTERS, DEFAULT_METHOD, DEFAULT_METRIC
from pursuhint.plan import HintPlan
from pursuhint.runs.panels import Kind
from pursuhint.view import Order


@dataclass(frozen=True)
class Choice:
    """How the layers are grouped; a plan that a person edited belongs to one such choice.

    Attributes:
        samples: how many of the probe images count; None for all.
    """

    metric: str = DEFAULT_METRIC
    method: str = DEFAULT_METHOD
    clusters: int = DEFAULT_CLUSTERS
    samples: int | None = None

    @staticmethod
    def of_plan(plan: HintPlan, samples: int | None) -> Choice:
        """Return the choice of a plan from a file; one made by hand changes the default method's."""
        method = DEFAULT_METHOD if plan.method == "manual" else plan.method
        return Choice(plan.metric, method, len(plan.clusters), samples)

    @staticmethod
    def of_draft(draft: Grouping) -> Choice:
        """Return the choice that a draft, or a plan that waits in it, was made under."""
        return Choice(draft.metric, draft.method, draft.clusters, draft.samples)


@dataclass(frozen=True)
class Step:
    """What undoing goes back to: a choice, and the plan that was changed under it, if any."""

    choice: Choice
    plan: HintPlan | None


@dataclass(frozen=True)
class Look:
    """How the layers are shown; it changes no plan.

    Attributes:
        order: of the rows of the matrix.
        map: how the layer map was made.
        selected: the layer whose facts are shown; empty for none.
    """

    order: Order = "dendrogram"
    map: LayerMap = "mds"
    selected: str = ""


@dataclass(frozen=True)
class Overlay:
    """Which runs are looked at on the Runs page.

    Attributes:
        runs: ids; the first one's page it is, the others' curves are drawn over its own.
        colours: id -> number of the colour, for as long as the run is looked at.
        drawn: counts the changes of what is ticked that were not made in the table.
        kind: what is drawn of each term of the loss.
        words, states, tags, by: which runs are listed and in which order, see `pursuhint.runs.index.arrange`.
    """

    runs: tuple[str, ...] = ()
    colours: dict[str, int] = field(default_factory=dict)
    drawn: int = 0
    kind: Kind = "weighted"
    words: str = ""
    states: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    by: str = "newest"


@dataclass(frozen=True)
class Sight:
    """Which probe image is looked at, and how; the layer is the one selected among the layers.

    Attributes:
        image: its position among the probe images.
        colour: what the colours of the images stand for.
        beside: the layer whose neighbours stand beside those at the selected one; empty for the last,
            or the first beside the last.
        trouble: why the teacher did not answer; empty while it has not been asked, or did.
    """

    image: int = 0
    colour: Literal["class", "answer"] = "class"
    beside: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Beside:
    """What the Similarity page shows beside the matrix of the choice in force; it changes no plan.

    Attributes:
        show: ``one`` matrix, ``two`` and their difference, or the teacher's layers against a ``student``'s.
        metric: of the second matrix.
        samples: probe images of the second matrix; None for all.
        pooling: of the second matrix; empty for the analysis' own.
        run: id of the run whose student is compared; empty for the newest one that fits.
        pair: the two layers that are explained; empty for the pair that is shown first.
        order: of the layers of one network.
    """

    show: Literal["one", "two", "student"] = "one"
    metric: str = ""
    samples: int | None = None
    pooling: str = ""
    run: str = ""
    pair: tuple[str, str] | tuple[()] = ()
    order: Literal["depth", "dendrogram"] = "depth"


@dataclass(frozen=True)
class KeptDraft:
    """What of this visit is on disk.

    Attributes:
        looked: whether the address was asked for a draft.
        id: under which the draft is kept; empty for none.
        own: whether this visit wrote it; another's is only read, and changes go under an id of their own.
        content: as it was last read or written.
    """

    looked: bool = False
    id: str = ""
    own: bool = False
    content: Draft | None = None

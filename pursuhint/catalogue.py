"""What there is to know of every loss before it is chosen: its paper, its formula, what it needs.

No torch here: the app and the command line read this. The losses themselves stand in `pursuhint.losses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pursuhint.errors import find_named

Grid = Literal["common", "own", "pooled", "none"]


@dataclass(frozen=True, kw_only=True)
class LossFacts:
    """A loss in words and numbers.

    Attributes:
        name: what it is called in settings and commands.
        title: what it is called on pages.
        source: authors, year and arXiv number.
        formula: LaTeX of what is computed. For hint losses n images, c channels, p positions, g the guided
            layer's features, h the hint's; the sum over the pairs is left out.
        reduction: what is averaged and what is summed; a weight belongs to a reduction.
        channels: whether guided layer and hint may differ in width as they are.
        grid: ``common``: both are average-pooled to the smaller grid; ``own``: any two shapes, all of their
            numbers count; ``pooled``: the mean over positions; ``none``: no features are compared.
        adapter: whether it has parameters of its own, which are trained with the student and not exported.
        needs_ids: whether it remembers each training image.
        across_images: whether the images of a batch are compared with each other (or with remembered ones),
            so that gradient accumulation or several processes change the loss.
        weight: beta in RepDistiller, the code that most published tables come from; None where it has none.
    """

    name: str
    title: str
    source: str
    formula: str
    reduction: str
    channels: Literal["any", "same after the adapter"] = "any"
    grid: Grid = "none"
    adapter: bool = False
    needs_ids: bool = False
    across_images: bool = False
    weight: float | None = None


_HINT = (
    LossFacts(
        name="at",
        title="Attention",
        source="Zagoruyko and Komodakis 2017, arXiv 1612.03928",
        formula=r"\frac{1}{np}\sum_i \lVert a(g_i) - a(h_i) \rVert^2,\quad "
        r"a(x) = \frac{q}{\lVert q \rVert},\; q = \frac{1}{c}\sum_c x_c^2",
        reduction="mean over images and positions",
        grid="common",
        weight=1000,
    ),
    LossFacts(
        name="fitnet",
        title="FitNets",
        source="Romero et al. 2015, arXiv 1412.6550",
        formula=r"\frac{1}{ncp}\sum_i \lVert r(g_i) - h_i \rVert^2",
        reduction="mean over images, channels and positions",
        channels="same after the adapter",
        grid="common",
        adapter=True,
        weight=100,
    ),
    LossFacts(
        name="sp",
        title="Similarity-preserving",
        source="Tung and Mori 2019, arXiv 1907.09682",
        formula=r"\frac{1}{n^2}\sum_i \left\lVert \frac{(GG^\top)_i}{\lVert (GG^\top)_i \rVert} - "
        r"\frac{(HH^\top)_i}{\lVert (HH^\top)_i \rVert} \right\rVert^2",
        reduction="mean over pairs of images",
        grid="own",
        across_images=True,
        weight=3000,
    ),
    LossFacts(
        name="vid",
        title="Variational information",
        source="Ahn et al. 2019, arXiv 1904.05835",
        formula=r"\frac{1}{ncp}\sum_{i,c} \frac{1}{2}\left( "
        r"\frac{\lVert h_{ic} - \mu_c(g_i) \rVert^2}{\sigma_c^2} + p\log\sigma_c^2 \right)",
        reduction="mean over images, channels and positions",
        channels="same after the adapter",
        grid="common",
        adapter=True,
        weight=1,
    ),
    LossFacts(
        name="crd",
        title="Contrastive (CRD)",
        source="Tian, Krishnan and Isola 2020, arXiv 1910.10699",
        formula=r"-\frac{1}{n}\sum_i \Big( \log D_{ii} + \sum_{j=1}^{k} \log(1 - D_{ij}) \Big),\quad "
        r"D_{ij} = \frac{e^{u_i \cdot v_j / \tau}}{e^{u_i \cdot v_j / \tau} + kz}",
        reduction="mean over images, sum over 1 + k comparisons and both directions",
        grid="pooled",
        adapter=True,
        needs_ids=True,
        across_images=True,
        weight=0.8,
    ),
    LossFacts(
        name="at+crd",
        title="Attention, then contrastive",
        source="Tian, Krishnan and Isola 2020, arXiv 1910.10699",
        formula=r"\mathcal{L}_{\text{AT}}\ \text{at all pairs but the last} + "
        r"\mathcal{L}_{\text{CRD}}\ \text{at the last}",
        reduction="of at and of crd, each with a weight of its own",
        grid="common",
        adapter=True,
        needs_ids=True,
        across_images=True,
    ),
    LossFacts(
        name="pkt",
        title="Probabilistic transfer",
        source="Passalis and Tefas 2018, arXiv 1803.10837",
        formula=r"\frac{1}{n^2}\sum_{i,j} P_{ij}\log\frac{P_{ij}}{Q_{ij}},\quad "
        r"P_{ij} = \frac{1 + \cos(h_i, h_j)}{\sum_k 1 + \cos(h_i, h_k)},\; Q \text{ the same of } g",
        reduction="mean over pairs of images",
        grid="pooled",
        across_images=True,
        weight=30000,
    ),
    LossFacts(
        name="nst",
        title="Neuron selectivity",
        source="Huang and Wang 2017, arXiv 1707.01219",
        formula=r"\frac{1}{n}\sum_i \Big( \overline{k(h_i, h_i)} + \overline{k(g_i, g_i)} - "
        r"2\,\overline{k(h_i, g_i)} \Big),\quad k(x, y) = (\hat{x} \cdot \hat{y})^2",
        reduction="mean over images and pairs of channels",
        grid="common",
        weight=50,
    ),
    LossFacts(
        name="cc",
        title="Correlation congruence",
        source="Peng et al. 2019, arXiv 1904.01802",
        formula=r"\frac{1}{n-1}\sum_{i=1}^{n-1} d_i \cdot d_{i+1},\quad d_i = \lvert e(g_i) - e'(h_i) \rvert",
        reduction="mean over neighbours in the batch, sum over the 128 embedded numbers",
        grid="pooled",
        adapter=True,
        across_images=True,
        weight=0.02,
    ),
    LossFacts(
        name="rkd",
        title="Relational",
        source="Park et al. 2019, arXiv 1904.05068",
        formula=r"\frac{25}{n^2}\sum_{i,j} \ell\big(\psi_{ij}(g), \psi_{ij}(h)\big) + "
        r"\frac{50}{n^3}\sum_{i,j,k} \ell\big(\cos\angle_{ijk}(g), \cos\angle_{ijk}(h)\big),\quad "
        r"\ell \text{ Huber}",
        reduction="25 x mean over pairs of images + 50 x mean over triples",
        grid="pooled",
        across_images=True,
        weight=1,
    ),
    LossFacts(
        name="cka",
        title="Linear CKA",
        source="Kornblith et al. 2019, arXiv 1905.00414",
        formula=r"1 - \frac{\lVert H^\top G \rVert_F^2}{\lVert G^\top G \rVert_F\,\lVert H^\top H \rVert_F}",
        reduction="one number a batch",
        grid="pooled",
        across_images=True,
    ),
)

_LOGIT = (
    LossFacts(
        name="kd",
        title="Soft labels (KD)",
        source="Hinton, Vinyals and Dean 2015, arXiv 1503.02531",
        formula=r"\frac{T^2}{n}\sum_i \mathrm{KL}\Big( \mathrm{softmax}\frac{z^t_i}{T} \,\Big\Vert\, "
        r"\mathrm{softmax}\frac{z^s_i}{T} \Big)",
        reduction="sum over classes, mean over images, times T^2",
    ),
    LossFacts(
        name="wsl",
        title="Weighted soft labels (WSL)",
        source="Zhou et al. 2021, arXiv 2102.00650",
        formula=r"\frac{T^2}{n}\sum_i \Big(1 - e^{-\mathrm{CE}^s_i / \mathrm{CE}^t_i}\Big)\, "
        r"\mathrm{KL}(p^t_i \,\Vert\, p^s_i)",
        reduction="sum over classes, weighted mean over images, times T^2",
    ),
    LossFacts(
        name="dkd",
        title="Decoupled (DKD)",
        source="Zhao et al. 2022, arXiv 2203.08679",
        formula=r"\frac{T^2}{n}\sum_i \Big[ \mathrm{KL}(b^t_i \,\Vert\, b^s_i) + 8\, "
        r"\mathrm{KL}(\hat p^t_i \,\Vert\, \hat p^s_i) \Big],\; b = (p_y, 1 - p_y),\; "
        r"\hat p = \mathrm{softmax}(z_{k \ne y} / T)",
        reduction="sum over classes, mean over images, times T^2",
    ),
    LossFacts(
        name="dist",
        title="Correlation (DIST)",
        source="Huang et al. 2022, arXiv 2205.10536",
        formula=r"T^2 \Big[ \frac1n \sum_i \big(1 - r(p^s_{i\cdot}, p^t_{i\cdot})\big) + "
        r"\frac1C \sum_k \big(1 - r(p^s_{\cdot k}, p^t_{\cdot k})\big) \Big]",
        reduction="mean over images plus mean over classes, times T^2",
        across_images=True,
    ),
    LossFacts(
        name="kd-std",
        title="Standardised logits",
        source="Sun et al. 2024, arXiv 2403.01427",
        formula=r"\frac{T^2}{n}\sum_i \mathrm{KL}(q^t_i \,\Vert\, q^s_i),\; "
        r"q_i = \mathrm{softmax}\frac{z_i - \bar z_i}{T\,\sigma(z_i)}",
        reduction="sum over classes, mean over images, times T^2",
    ),
)

HINT_FACTS: dict[str, LossFacts] = {facts.name: facts for facts in _HINT}
"""The hint losses in the order in which they are offered."""
LOGIT_FACTS: dict[str, LossFacts] = {facts.name: facts for facts in _LOGIT}
"""The logit losses in the order in which they are offered."""


def hint_facts(name: str) -> LossFacts:
    """Return what is known of a hint loss.

    Raises:
        InputError: there is none of that name.

    Example:
        >>> hint_facts("sp").weight
        3000
    """
    return find_named("hint loss", name, HINT_FACTS, beside=["none"])


def title_of(name: str) -> str:
    """Return a loss with its paper as a line to choose from; ``none`` stays ``none``.

    Example:
        >>> title_of("crd")
        'Contrastive (CRD) – Tian, Krishnan and Isola 2020'
    """
    facts = (HINT_FACTS | LOGIT_FACTS).get(name)
    return f"{facts.title} – {facts.source.rpartition(',')[0]}" if facts else name

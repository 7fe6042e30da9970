r"""What stands behind each figure and choice: its formula, how to read it, where it comes from.

What metrics, methods and losses declare of themselves is taken from there; only formula and source are added.
No Streamlit: pages, reports and notebooks can show the same words.
"""

from __future__ import annotations

from dataclasses import dataclass

from pursuhint.catalogue import HINT_FACTS, LOGIT_FACTS, LossFacts
from pursuhint.clustering import METHODS, PRESETS
from pursuhint.errors import find_named
from pursuhint.similarity import METRICS


@dataclass(frozen=True)
class Explanation:
    """One thing explained.

    Attributes:
        title: what is explained.
        formula: LaTeX; empty where a formula would say no more than the words.
        reading: how to read it, in Markdown.
        source: authors and year; empty where it is this project's own.
    """

    title: str
    formula: str
    reading: str
    source: str


_KORNBLITH = "Kornblith, Norouzi, Lee and Hinton 2019, arXiv 1905.00414"
_PURSUHINT = "Keser et al. 2023, arXiv 2103.00053"
_METRIC_FORMULAS: dict[str, tuple[str, str]] = {
    "r2_cca": (
        r"R^2(X, Y) = \frac{\lVert U_X^\top U_Y \rVert_F^2}{\min(r_X, r_Y)},\quad "
        r"X = U_X \Sigma_X V_X^\top \text{ centred, of rank } r_X",
        _KORNBLITH,
    ),
    "cka_linear": (
        r"\mathrm{CKA}(X, Y) = \frac{\lVert X^\top Y \rVert_F^2}"
        r"{\lVert X^\top X \rVert_F\,\lVert Y^\top Y \rVert_F}",
        _KORNBLITH,
    ),
    "cka_linear_debiased": (
        r"\frac{\mathrm{HSIC}_1(K, L)}{\sqrt{\mathrm{HSIC}_1(K, K)\,\mathrm{HSIC}_1(L, L)}},\quad "
        r"K = XX^\top,\; L = YY^\top",
        "Song et al. 2012, by way of Nguyen, Raghu and Kornblith 2021, arXiv 2010.15327",
    ),
    "cka_rbf": (
        r"\frac{\langle HKH, HLH \rangle}{\lVert HKH \rVert\,\lVert HLH \rVert},\quad "
        r"K_{ij} = e^{-\lVert x_i - x_j \rVert^2 / 2\sigma^2}",
        _KORNBLITH,
    ),
    "svcca": (
        r"\frac{1}{r} \sum_{k=1}^{r} \rho_k,\quad \rho \text{ of the directions with 99 \% of the variance}",
        "Raghu, Gilmer, Yosinski and Sohl-Dickstein 2017, arXiv 1706.05806",
    ),
    "pwcca": (
        r"\frac{\sum_k w_k \rho_k}{\sum_k w_k},\quad w_k = \sum_c \lvert \langle h_k, x_c \rangle \rvert",
        "Morcos, Raghu and Bengio 2018, arXiv 1806.05759",
    ),
    "procrustes": (
        r"\frac{\lVert X^\top Y \rVert_*}{\lVert X \rVert_F\,\lVert Y \rVert_F}",
        "Ding, Denain and Steinhardt 2021, arXiv 2108.01661",
    ),
    "linear_regression": (
        r"R^2(X \text{ from } Y) = \frac{\lVert U_Y^\top X \rVert_F^2}{\lVert X \rVert_F^2}",
        _KORNBLITH,
    ),
    "rsa": (
        r"\text{Spearman's } \rho \text{ of } \lVert x_i - x_j \rVert \text{ and } \lVert y_i - y_j \rVert",
        "Kriegeskorte, Mur and Bandettini 2008",
    ),
    "mutual_knn": (
        r"\frac{1}{nk} \sum_i \lvert N_k(x_i) \cap N_k(y_i) \rvert,\quad k = 10",
        "Huh, Cheung, Wang and Isola 2024, arXiv 2405.07987",
    ),
}
_METHOD_FORMULAS: dict[str, tuple[str, str]] = {
    "pursuhint": (
        r"c(l) = \arg\max_k s(l, m_k),\qquad m_k \leftarrow \text{the member nearest } "
        r"\Big\lfloor \tfrac{1}{\lvert C_k \rvert} \textstyle\sum_{l \in C_k} l \Big\rfloor",
        _PURSUHINT,
    ),
    "agglomerative": (
        r"d(A, B) = \frac{1}{\lvert A \rvert \lvert B \rvert} \sum_{a \in A} \sum_{b \in B} (1 - s_{ab})",
        "Sokal and Michener 1958",
    ),
    "complete": (r"d(A, B) = \max_{a \in A,\, b \in B} (1 - s_{ab})", "Sørensen 1948"),
    "ward": (
        r"d(A, B)^2 = \frac{2 \lvert A \rvert \lvert B \rvert}{\lvert A \rvert + \lvert B \rvert}\, "
        r"\lVert \bar a - \bar b \rVert^2",
        "Ward 1963",
    ),
    "kmedoids": (
        r"\min_{m_1 \dots m_K} \sum_l \min_k (1 - s_{l m_k})",
        "Schubert and Rousseeuw 2021, arXiv 2008.05171",
    ),
    "spectral": (r"\min \sum_k \frac{\mathrm{cut}(C_k, \bar C_k)}{\mathrm{vol}(C_k)}", "Shi and Malik 2000"),
    "contiguous": (
        r"\min_{b_1 < \dots < b_{K-1}} \sum_k \min_{m} \sum_{l = b_{k-1}}^{b_k - 1} (1 - s_{lm})",
        "Fisher 1958",
    ),
}
_VIEWS: dict[str, Explanation] = {
    "probe accuracy": Explanation(
        "Accuracy",
        r"\frac{\text{right answers}}{\text{images}}",
        "Only the test images tell what the teacher is worth: it was trained on the probe images. With n "
        "test images, two figures that differ by less than about $1/\\sqrt{n}$ may be the same.",
        "",
    ),
    "candidate layers": Explanation(
        "Candidate layers",
        r"l : \mathbb{R}^{3 \times H \times W} \to \mathbb{R}^{c \times h \times w}",
        "The layers that are compared and may become hint points: by default the ends of the network's "
        "blocks, where a representation is complete. A stage is a run of layers with outputs of one shape.",
        _PURSUHINT,
    ),
    "matrix": Explanation(
        "The matrix",
        r"S_{ij} = s(X_i, X_j),\quad X_i \in \mathbb{R}^{N \times C_i}",
        "Each cell compares two layers on the same N images, 1 for the same. Bright or dark squares along "
        "the diagonal are groups of layers that agree; an edge between two of them is where something new "
        "begins. The colours begin at the lowest value, so look at the numbers before you call two layers "
        "different.",
        "",
    ),
    "layer notes": Explanation(
        "Enough images?",
        r"\frac{\text{images}}{\text{width}} \ge 10,\qquad \text{chance} \approx \frac{\max(p, q)}{N}",
        "With few images, many numbers can be fitted to anything, and CCA and regression read too high. A "
        "rank below the width means that some channels are dead or repeat each other.",
        _KORNBLITH,
    ),
    "coverage": Explanation(
        "Coverage",
        r"\frac{1}{L} \sum_{l=1}^{L} \max_{h \in H} s(l, h)",
        "How well the hint points stand for all layers: the mean similarity of a layer to its nearest hint "
        "point. It never falls with one more, so compare equal numbers only. It says nothing about how "
        "well a student learns.",
        "this project; one minus the cost of k-medoids",
    ),
    "silhouette": Explanation(
        "Silhouette",
        r"\frac{1}{L} \sum_l \frac{b_l - a_l}{\max(a_l, b_l)},\quad a_l \text{ to its own group},\; "
        r"b_l \text{ to the next}",
        "Above 0, layers are nearer to their own group than to the next; near 0, they lie between. Where "
        "the bars are about equally high, the number of groups is yours to choose.",
        "Rousseeuw 1987",
    ),
    "stability": Explanation(
        "Stability",
        r"\mathrm{ARI} = \frac{\text{pairs together in both} - \text{expected}}"
        r"{\text{most possible} - \text{expected}}",
        "The layers are grouped anew on a hundred parts of the images. A layer that is chosen each time "
        "does not depend on which images were taken. 1 means the same groups, 0 no more than by chance.",
        "Hubert and Arabie 1985",
    ),
    "hint table": Explanation(
        "Changes by hand",
        r"H = \text{centres} \cup \text{added} \setminus \text{removed}",
        "The clusters stay as they were measured; a change only adds hint points to the centres or removes "
        "some. It is kept in the plan with its reason.",
        "",
    ),
    "medoid": Explanation(
        "Medoid",
        r"m = \arg\max_{l \in C} \sum_{j \in C} s(l, j)",
        "The layer of a group that is most alike to all of the others: a centre that is a real layer, as a "
        "mean would not be.",
        "Kaufman and Rousseeuw 1987",
    ),
    "image map": Explanation(
        "Map of the images",
        r"p_{j|i} = \exp\!\Big(\!-\frac{\max(0,\, \lVert x_i - x_j \rVert - \rho_i)}{\sigma_i}\Big)",
        "UMAP keeps neighbours together. Trust who is next to whom; do not read the distance between "
        "groups, their size, or the axes.",
        "McInnes, Healy and Melville 2018, arXiv 1802.03426",
    ),
    "activation map": Explanation(
        "Where a layer looks",
        r"m(x, y) = \frac{1}{C} \sum_c a_c(x, y)^2",
        "The mean over the layer's channels of the squared activation at each place, laid over the image: "
        "bright where the layer reacts most. It says where, not to what. The same map is what attention "
        "transfer makes a student imitate.",
        "Zagoruyko and Komodakis 2017",
    ),
    "nearest images": Explanation(
        "Nearest images",
        r"d(i, j) = \lVert z_i - z_j \rVert \,/\, \sqrt{\mathrm{mean}_{k,l} \lVert z_k - z_l \rVert^2}",
        "The images whose pooled features lie closest to the chosen one's, in units of the layer's typical "
        "distance between two images, so that two layers can be compared. Near neighbours of other classes "
        "show what a layer has not told apart yet.",
        "Euclidean distance; its unit is this project's",
    ),
    "objective": Explanation(
        "The loss",
        r"\mathcal{L} = \gamma\,\mathcal{L}_{\text{cls}} + \alpha\,\mathcal{L}_{\text{logit}} + "
        r"\beta\,\mathcal{L}_{\text{hint}},\quad \gamma \lVert g_{\text{cls}} \rVert : \alpha \lVert "
        r"g_{\text{logit}} \rVert : \beta \lVert g_{\text{hint}} \rVert = \text{the shares}",
        "Labels, the teacher's answers, its layers at the hint points. The g are gradients on the student "
        "at the start. The terms have different units, so their sizes do not compare; their pulls do.",
        f"{_PURSUHINT}; the balance is this project's",
    ),
    "pairs": Explanation(
        "Pairs",
        r"\mathcal{L}_{\text{hint}} = \sum_{(h, g)} \ell\big(T_h(x), r(S_g(x))\big)",
        "Each hint point h of the teacher T has a guided layer g of the student S. Where their shapes "
        "differ, a small adapter r is trained along and dropped afterwards. Pairs should not cross: early "
        "imitates early.",
        "Romero et al. 2015, arXiv 1412.6550",
    ),
    "compression": Explanation(
        "Compression",
        r"\frac{\text{parameters of the teacher}}{\text{parameters of the student}}",
        "Parameters say what must be stored, FLOPs what must be computed; a network can save one and not the "
        "other. Neither is time: that depends on the machine.",
        "",
    ),
    "learning rate": Explanation(
        "Learning rate",
        r"\eta_t = \tfrac{\eta_0}{2} \big(1 + \cos \tfrac{\pi t}{T}\big)",
        "How far each step goes. The quick recipe lets it fall along half a cosine, the published ones by a "
        "tenth at set epochs. It belongs to the batch size: change one, and try the other.",
        "Loshchilov and Hutter 2017, arXiv 1608.03983",
    ),
    "dry run": Explanation(
        "The dry run",
        r"\text{an epoch} \approx \text{steps} \times \text{seconds a step} + \text{scoring}",
        "Loads everything, settles the weights and takes the first steps for real, in a process of its own; "
        "then saves and exports once, and throws it all away. What fails there would fail in the run. Other "
        "work on this machine makes the time longer.",
        "",
    ),
    "curves": Explanation(
        "The curves",
        r"\text{total} = \gamma\,\mathcal{L}_{\text{cls}} + \alpha\,\mathcal{L}_{\text{logit}} + "
        r"\beta\,\mathcal{L}_{\text{hint}}",
        "Each line is a term with its weight, so they add up to the total. A term that is small and flat "
        "does not teach. The accuracy is of validation images; test images are looked at once, at the end.",
        "",
    ),
    "runs": Explanation(
        "Comparing runs",
        r"\sqrt{a(1 - a) / n}",
        "The standard error of an accuracy a on n images. Two runs that differ by less than twice as much, "
        "or only with one seed, do not differ as far as one can tell.",
        "",
    ),
    "interval": Explanation(
        "Interval over seeds",
        r"\bar d \pm t_{0.975,\,n-1}\,\frac{s_d}{\sqrt n},\quad d_i = a_i - a_i^{\text{ref}}",
        "The difference to the reference is taken seed by seed, so that what a seed does to both drops out. "
        "If the interval holds 0, the trainings do not tell the two apart.",
        "Student 1908",
    ),
}


def _of_metric(name: str) -> Explanation:
    metric, (formula, source) = METRICS[name], _METRIC_FORMULAS[name]
    blind = ", ".join(sorted(metric.invariances))
    images = f" It wants {metric.images_per_feature:g} images for each feature." * (
        metric.images_per_feature > 1
    )
    return Explanation(metric.title, formula, f"{metric.note} Blind to: {blind}.{images}", source)


def _of_method(name: str) -> Explanation:
    method, (formula, source) = METHODS[name], _METHOD_FORMULAS[name]
    centre = "the middle of its depth" if method.centre == "middle of depth" else "its medoid"
    return Explanation(method.title, formula, f"{method.note} The centre of a cluster is {centre}.", source)


def _of_loss(facts: LossFacts) -> Explanation:
    return Explanation(facts.title, facts.formula, f"Reduction: {facts.reduction}.", facts.source)


EXPLANATIONS: dict[str, Explanation] = {
    **{name: _of_metric(name) for name in METRICS},
    **{name: _of_method(name) for name in METHODS},
    **{name: Explanation(preset.title, "", preset.note, "") for name, preset in PRESETS.items()},
    **{name: _of_loss(facts) for name, facts in (HINT_FACTS | LOGIT_FACTS).items()},
    **_VIEWS,
}
"""Topic -> explanation; metrics, methods and losses by their names, views of the pages by what they show."""


def explanation(topic: str) -> Explanation:
    """Return what is to be said about a topic.

    Raises:
        InputError: there is nothing under that name.

    Example:
        >>> explanation("coverage").title, explanation("r2_cca").source[:9]
        ('Coverage', 'Kornblith')
    """
    return find_named("topic", topic, EXPLANATIONS)

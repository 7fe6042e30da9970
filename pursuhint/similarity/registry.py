"""All metrics by name, in the order in which they are offered."""

from __future__ import annotations

from pursuhint.errors import InputError, find_named
from pursuhint.similarity.cka_linear import CKA_LINEAR
from pursuhint.similarity.cka_linear_debiased import CKA_LINEAR_DEBIASED
from pursuhint.similarity.cka_rbf import CKA_RBF
from pursuhint.similarity.linear_regression import LINEAR_REGRESSION
from pursuhint.similarity.metric import DistancesMetric, MomentsMetric
from pursuhint.similarity.mutual_knn import MUTUAL_KNN
from pursuhint.similarity.procrustes import PROCRUSTES
from pursuhint.similarity.pwcca import PWCCA
from pursuhint.similarity.r2_cca import R2_CCA
from pursuhint.similarity.rsa import RSA
from pursuhint.similarity.svcca import SVCCA

METRICS: dict[str, MomentsMetric | DistancesMetric] = {
    metric.name: metric
    for metric in (
        R2_CCA,
        CKA_LINEAR,
        CKA_LINEAR_DEBIASED,
        CKA_RBF,
        SVCCA,
        PWCCA,
        PROCRUSTES,
        LINEAR_REGRESSION,
        RSA,
        MUTUAL_KNN,
    )
}


def find_metric(name: str) -> MomentsMetric | DistancesMetric:
    """Return a metric.

    Raises:
        InputError: there is none of that name.

    Example:
        >>> find_metric("cka_linear").title
        'Linear CKA'
    """
    return find_named("metric", name, METRICS)


def check_pooling(metric: str, pooling: str) -> None:
    """Refuse a metric that needs features where there are Gram matrices only.

    Args:
        metric: key in ``METRICS``.
        pooling: how a feature map becomes a row.

    Raises:
        InputError: unknown metric, or flattened activations and a metric that cannot be measured on them.

    Example:
        >>> check_pooling("r2_cca", "mean")
    """
    measure = find_metric(metric)
    if pooling == "flatten" and not measure.flattened:
        possible = ", ".join(f"`{name}`" for name, one in METRICS.items() if one.flattened)
        raise InputError(
            f"the pooling `flatten` allows {possible} only: found `{metric}`; choose that metric, or pool "
            "the feature maps by `mean`"
        )


def metrics_of(pooling: str) -> tuple[str, ...]:
    """Return the names of the metrics that a pooling allows.

    Example:
        >>> metrics_of("flatten")
        ('cka_linear_debiased',)
    """
    return tuple(name for name, metric in METRICS.items() if metric.flattened or pooling != "flatten")

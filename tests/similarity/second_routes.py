"""Every metric a second time, from its definition: one pair of layers at a time, no shortcuts."""

import numpy as np
from scipy.linalg import orth, subspace_angles
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors


def make_layers(samples: int, widths: list[int], seed: int = 0) -> dict[str, np.ndarray]:
    """Return noisy ReLU layers of which each sees the one before."""
    rng = np.random.default_rng(seed)
    features, layers = rng.normal(size=(samples, 8)), {}
    for number, width in enumerate(widths):
        mixed = features @ rng.normal(size=(features.shape[1], width)) / np.sqrt(features.shape[1])
        features = np.maximum(mixed + 0.3 * rng.normal(size=mixed.shape) + 0.5, 0.0)
        layers[f"layer{number}"] = features
    return layers


def centred(features: np.ndarray) -> np.ndarray:
    return features - features.mean(axis=0)


def correlations(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    return np.cos(subspace_angles(centred(X), centred(Y)))


def r2_cca(X: np.ndarray, Y: np.ndarray) -> float:
    return np.mean(correlations(X, Y) ** 2)


def cka_of_grams(gram_x: np.ndarray, gram_y: np.ndarray) -> float:
    centring = np.eye(len(gram_x)) - 1 / len(gram_x)
    K, L = centring @ gram_x @ centring, centring @ gram_y @ centring
    return np.trace(K @ L) / np.sqrt(np.trace(K @ K) * np.trace(L @ L))


def cka_linear(X: np.ndarray, Y: np.ndarray) -> float:
    return cka_of_grams(X @ X.T, Y @ Y.T)


def song_hsic(K: np.ndarray, L: np.ndarray) -> float:
    """The three terms of Song et al. 2012, equation 5, on kernels that are not centred."""
    n = len(K)
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    ones = np.ones(n)
    terms = np.trace(K @ L) + ones @ K @ ones * (ones @ L @ ones) / ((n - 1) * (n - 2))
    return (terms - 2 / (n - 2) * (ones @ K @ L @ ones)) / (n * (n - 3))


def cka_linear_debiased(X: np.ndarray, Y: np.ndarray) -> float:
    K, L = X @ X.T, Y @ Y.T
    return song_hsic(K, L) / np.sqrt(song_hsic(K, K) * song_hsic(L, L))


def cka_rbf(X: np.ndarray, Y: np.ndarray) -> float:
    return cka_of_grams(*(rbf_kernel(Z, gamma=1 / (2 * np.median(squared(Z)))) for Z in (X, Y)))


def squared(X: np.ndarray) -> np.ndarray:
    return np.square(X[:, None] - X[None]).sum(axis=-1)


def svcca(X: np.ndarray, Y: np.ndarray) -> float:
    kept = []
    for Z in (X, Y):
        left, singular_values, _ = np.linalg.svd(centred(Z), full_matrices=False)
        held = np.cumsum(singular_values**2) / np.sum(singular_values**2)
        kept.append(left[:, : np.sum(held < 0.99) + 1])
    return np.mean(correlations(*kept))


def pwcca(X: np.ndarray, Y: np.ndarray) -> float:
    """The mean of both directions of Morcos et al. 2018, equation 4."""
    values = []
    for Z, other in ((X, Y), (Y, X)):
        Z, basis = centred(Z), orth(centred(other))
        left, rho, _ = np.linalg.svd(orth(Z).T @ basis, full_matrices=False)
        variables = orth(Z) @ left
        weights = [sum(abs(variable @ channel) for channel in Z.T) for variable in variables.T]
        values.append(sum(w * r for w, r in zip(weights, rho, strict=True)) / sum(weights))
    return np.mean(values)


def procrustes(X: np.ndarray, Y: np.ndarray) -> float:
    """Turn one layer onto the other and measure what is left; see Ding et al. 2021."""
    wide = max(X.shape[1], Y.shape[1])
    A, B = (np.pad(centred(Z), ((0, 0), (0, wide - Z.shape[1]))) for Z in (X, Y))
    A, B = A / np.linalg.norm(A), B / np.linalg.norm(B)
    left, _, right = np.linalg.svd(A.T @ B)
    return 1 - np.linalg.norm(A @ (left @ right) - B) ** 2 / 2


def linear_regression(X: np.ndarray, Y: np.ndarray) -> float:
    values = [
        r2_score(Z, LinearRegression().fit(other, Z).predict(other), multioutput="variance_weighted")
        for Z, other in ((X, Y), (Y, X))
    ]
    return np.mean(values)


def rsa(X: np.ndarray, Y: np.ndarray) -> float:
    pairs = np.triu_indices(len(X), 1)
    return spearmanr(np.sqrt(squared(X))[pairs], np.sqrt(squared(Y))[pairs]).statistic


def mutual_knn(X: np.ndarray, Y: np.ndarray) -> float:
    found = [NearestNeighbors(n_neighbors=10).fit(Z).kneighbors(return_distance=False) for Z in (X, Y)]
    return np.mean([len(set(a) & set(b)) / 10 for a, b in zip(*found, strict=True)])


SECOND_ROUTES = {
    "r2_cca": r2_cca,
    "cka_linear": cka_linear,
    "cka_linear_debiased": cka_linear_debiased,
    "cka_rbf": cka_rbf,
    "svcca": svcca,
    "pwcca": pwcca,
    "procrustes": procrustes,
    "linear_regression": linear_regression,
    "rsa": rsa,
    "mutual_knn": mutual_knn,
}

"""What is written out here to spare every command scikit-learn's import really spares it."""

import subprocess
import sys

SCRIPT = """
import sys
import numpy as np
from pursuhint.clustering import METHODS, cluster_layers, silhouette_curve
from pursuhint.coverage import coverage_report
from pursuhint.similarity import SimilarityMatrix
from pursuhint.stability import adjusted_rand

near = np.exp(-np.abs(np.subtract.outer(range(12), range(12))) / 4.0)
similarity = SimilarityMatrix(near, tuple("abcdefghijkl"), "cka_linear", "mean", 100, {}, {})
for method in METHODS:
    if method not in ("kmedoids", "spectral"):  # these two are libraries' own, which import it
        found = cluster_layers(similarity, 3, method=method)
        silhouette_curve(similarity, method=method)
coverage_report(near, similarity.layers, found.centres)
adjusted_rand(found.labels(), found.labels())
print(*(name for name in ("sklearn", "torch", "streamlit") if name in sys.modules))
"""


def test_clusters_coverage_and_agreement_import_no_scikit_learn():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []

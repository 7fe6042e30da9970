"""Analyses of teachers: folders made by a worker, read without torch."""

from pursuhint.analysis.folder import AnalysisCard, AnalysisFolder
from pursuhint.analysis.settings import AnalysisSettings

__all__ = ["AnalysisCard", "AnalysisFolder", "AnalysisSettings"]

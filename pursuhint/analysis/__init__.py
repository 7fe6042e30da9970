"""Analyses of teachers: folders made by a worker, read without torch."""

from pursuhint.analysis.folder import BUILTIN_ANALYSIS, AnalysisCard, AnalysisFolder, request_analysis
from pursuhint.analysis.settings import AnalysisSettings

__all__ = ["BUILTIN_ANALYSIS", "AnalysisCard", "AnalysisFolder", "AnalysisSettings", "request_analysis"]

"""Analyses of teachers: folders made by a worker, read without torch."""

from pursuhint.analysis.card import AnalysisCard
from pursuhint.analysis.folder import AnalysisFolder
from pursuhint.analysis.requests import BUILTIN_ANALYSIS, list_analyses, request_analysis
from pursuhint.analysis.settings import AnalysisSettings

__all__ = [
    "BUILTIN_ANALYSIS",
    "AnalysisCard",
    "AnalysisFolder",
    "AnalysisSettings",
    "list_analyses",
    "request_analysis",
]

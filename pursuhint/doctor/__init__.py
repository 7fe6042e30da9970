"""Whether everything that work needs is there, and what to do where it is not."""

from pursuhint.doctor.examination import examine, worst
from pursuhint.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine", "worst"]

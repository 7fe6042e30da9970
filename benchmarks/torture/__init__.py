"""Faults caused for real, and whether what `docs/reliability.md` promises holds after each."""

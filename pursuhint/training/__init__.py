"""Training: settings, losses together with the student, and the loop."""

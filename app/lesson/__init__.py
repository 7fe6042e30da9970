"""The lesson: seven steps, each with a figure to change, a question and an answer."""

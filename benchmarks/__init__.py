"""Commands that print ratios against peers and floors, each measured in one run."""

"""The pairs between the two networks, as one drawing."""

"""The drawing of the probe images as the layers see them: they move from layer to layer."""

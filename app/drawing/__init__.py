"""What drawings of our own share: their making, and the way of what visitors do in them."""

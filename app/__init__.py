"""The app: what stands around the pages and what they share. The library knows nothing of it."""

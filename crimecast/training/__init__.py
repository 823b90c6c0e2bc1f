"""Training: what a batch holds, one run's loop, its process, and whose turn it is."""

"""Training: what a batch holds, and the loop of one run."""

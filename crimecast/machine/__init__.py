"""What there is to work on: cores, GPUs, a Ray cluster, and who waits for whom."""

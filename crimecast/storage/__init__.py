"""What lies on disk, and who may touch it."""

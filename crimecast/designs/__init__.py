"""A design: the architecture of a network as a spec that people can read and change."""

"""Runs forked from runs: their tree, and forks that follow the advice of findings."""

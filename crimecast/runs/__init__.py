"""Runs: their record, whose turn it is, and the processes that train them."""

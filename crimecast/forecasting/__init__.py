"""Forecasts of runs and baselines, where they are tried, and the files that they go to."""

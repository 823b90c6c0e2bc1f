"""Figures and maps: pure functions from arrays to what a browser draws."""

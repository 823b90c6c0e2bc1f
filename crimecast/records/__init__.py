"""Rows of a file or a portal → events, a month a file."""

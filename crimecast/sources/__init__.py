"""Portals: where events come from, asked page by page."""

"""Hostile inputs for the command line, drawn without end; shares nothing with what reads them."""

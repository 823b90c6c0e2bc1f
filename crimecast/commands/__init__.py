"""What each command does: the same functions as the pages call; each returns (result, text).

Imports that take long (torch, polars) are made by the commands that need them.
"""

"""Events → a labelled count cube, and what is derived from it cell by cell."""

"""What several pages share: the frame around a page, the maps, the progress of a run."""

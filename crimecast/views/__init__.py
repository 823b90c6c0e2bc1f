"""What a page shows, worked out: from stored runs and grids to maps, series and tables."""

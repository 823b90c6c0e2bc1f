"""One self-contained HTML file of a run: what it forecasts, how well, and what it can't be used for."""

"""Civil time: steps, dates, and times as people write them."""

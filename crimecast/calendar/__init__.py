"""Civil time: steps, and the calendar of a date."""

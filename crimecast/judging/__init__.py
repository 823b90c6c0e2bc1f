"""What forecasts are worth: scores, calibration, breakdowns, feedback, near repeats."""

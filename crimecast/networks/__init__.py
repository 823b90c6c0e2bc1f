"""What holds of any torch network: its calls, its operations, what flows from where, which axis is what."""

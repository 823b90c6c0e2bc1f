"""CrimeCast: see why a forecasting network is wrong, change its design, see whether it got better."""

__version__ = "0.1.0"

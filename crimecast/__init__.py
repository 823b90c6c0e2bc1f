"""CrimeCast: see why a forecasting network is wrong, change its design, see whether it got better."""

from crimecast.errors import Doubt, UserError

__version__ = "0.1.0"
__all__ = ["Doubt", "UserError", "__version__"]

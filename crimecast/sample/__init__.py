"""The sample city: simulated, so that its true rates are known, and how it ships."""

"""What is called a forecast's error, in the app, reports and exports alike: its sign, its colours, its words."""

import numpy as np

TITLE = "Actual − forecast"
WORDS = (
    "orange is more than forecast, blue less"  # the upper half of the diverging colours is orange
)


def difference(actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Actual minus forecast, in events: above zero where more happened than was forecast."""
    return actual - forecast

"""The views of the Layers page beside the gallery: one a file, drawn only when chosen."""

from collections.abc import Callable

from crimecast.cities import City
from crimecast.runs.run import Run
from pages.parts.asking.attention import attention
from pages.parts.asking.beside import peaks, two
from pages.parts.asking.likeness import likeness
from pages.parts.asking.network import network
from pages.parts.asking.sight import sight
from pages.parts.asking.training import training
from pages.parts.asking.weights import weights
from pages.parts.asking.what_if import what_if
from pages.parts.asking.why import why

VIEWS: dict[str, Callable[[Run, City, str, int, int], None]] = {
    "Network": network,
    "Why": why,
    "What if": what_if,
    "Sight": sight,
    "Attention": attention,
    "Training": training,
    "Likeness": likeness,
    "Weights": weights,
    "Peaks": peaks,
    "Beside": two,
}

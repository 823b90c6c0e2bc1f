"""Applying a finding's patch to a design."""

from typing import Any

from crimecast.designs import editing
from crimecast.designs.spec import Design


def patched(design: Design, patch: dict[str, Any]) -> Design:
    """The design with fields changed: `training.X`, `layer.NAME.X`, a field of the design itself, or
    `layer.NAME` = None to take a layer out. Raises UserError for a field that isn't there."""
    for path, value in patch.items():
        kind, _, rest = path.partition(".")
        if kind != "layer":
            design = editing.set_field(design, path, value)
        elif "." in rest:
            layer, _, option = rest.rpartition(".")
            design = editing.set_option(design, layer, option, value)
        else:
            design = editing.remove(design, rest)
    return design

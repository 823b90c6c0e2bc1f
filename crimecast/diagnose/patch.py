"""Applying a finding's patch to a design."""

from dataclasses import replace
from typing import Any

from crimecast.designs.spec import Design, parse_design, to_toml
from crimecast.errors import UserError


def patched(design: Design, patch: dict[str, Any]) -> Design:
    """The design with fields changed: `training.X`, `layer.NAME.X`, a field of the design itself, or
    `layer.NAME` = None to take a layer out. Raises UserError for a field that isn't there."""
    for path, value in patch.items():
        parts = path.split(".")
        if parts[0] == "training":
            design = replace(design, training=replace(design.training, **{parts[1]: value}))
        elif parts[0] == "layer":
            names = [layer.name for layer in design.layers]
            if parts[1] not in names:
                raise UserError(f"There is no layer '{parts[1]}' in {design.name}.")
            at = names.index(parts[1])
            own = list(design.layers)
            if value is None and len(parts) == 2:
                del own[at]
            else:
                own[at] = replace(own[at], options={**own[at].options, parts[2]: value})
            design = replace(design, layers=tuple(own))
        else:
            changed: Any = {path: tuple(value) if isinstance(value, list) else value}
            design = replace(design, **changed)
    return parse_design(to_toml(design))

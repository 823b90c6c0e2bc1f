"""Looking into a network: what each of its layers does with a step.

From a notebook, `crimecast.inspect.look(module, history)` looks into any module, arrays in, arrays out.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crimecast.inspect.notebook import look as look


def __getattr__(name: str) -> Any:
    """`look`, only where it is asked for: it brings torch."""
    if name == "look":
        from crimecast.inspect.notebook import look

        return look
    raise AttributeError(name)

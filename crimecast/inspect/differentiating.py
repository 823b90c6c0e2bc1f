"""What torch can't differentiate, said in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from crimecast import UserError


@contextmanager
def differentiating() -> Iterator[None]:
    """Inside the block an operation without a gradient, or a value that was written over, is a UserError."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).strip().split("\n")[0].split(". ")[0][:200].rstrip(".")
        raise UserError(f"The forecast can't be traced back to the inputs: {reason}.") from None

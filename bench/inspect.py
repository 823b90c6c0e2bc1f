"""Looking into a network, measured: `python bench/inspect.py [--json]`; see inspecting.py.

This file has the name of a module of the standard library, which every other script of this folder
would get in its stead: asked for by `import inspect`, it gives them the real one.
"""

import importlib
import sys
from pathlib import Path

here = Path(__file__).resolve().parent
known = list(sys.path)
sys.path[:] = [p for p in known if Path(p or ".").resolve() != here]
if __name__ == "__main__":
    sys.path.insert(0, str(here.parent))
    from bench.inspecting import main

    main()
else:
    del sys.modules[__name__]
    sys.modules[__name__] = importlib.import_module("inspect")
    sys.path[:] = known

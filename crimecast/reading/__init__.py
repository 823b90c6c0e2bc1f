"""From a file as somebody published it to rows whose time and place are known, or a sentence why not.

bytes → table (`containers`, `delimited`, `documents`, `files`) → which column is what (`meaning`)
→ times (`days`, `clocks`, `numbers`, `moments`) and places (`coordinates`, `places`). Whatever is
decided on the way is decided from all values, and said.
"""

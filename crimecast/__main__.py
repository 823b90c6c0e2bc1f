"""`python -m crimecast …`: the command line."""

from crimecast.cli import main

raise SystemExit(main())

"""The app's entry: navigation only. `app.py` starts it."""

from pages.parts.starting import start

start()

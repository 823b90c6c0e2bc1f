"""What every command needs first."""


def ready() -> None:
    """Put the sample city into an empty data folder."""
    from crimecast.sources.sample import ensure_sample

    ensure_sample()

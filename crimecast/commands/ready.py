"""What every command needs first."""


def ready() -> None:
    """Put the sample city into an empty data folder."""
    from crimecast.sample.shipped import ensure_sample

    ensure_sample()

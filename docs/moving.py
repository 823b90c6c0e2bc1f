"""The moving picture at the top of the README, made from the real app: `python docs/moving.py [--chromium …]`.

A first design is trained on the sample city; where it is wrong, the layer to blame, what is found, the fork and what it
did are each looked at in Chromium, and joined to `docs/loop.webp`.
"""

import argparse
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image, ImageDraw, ImageFont

from bench.chromium import FLAGS, TOP, serve

WIDE, HIGH, SHOWN = 1360, 800, 960  # pixels of the page, and across the picture
SECONDS = 3.2  # a frame
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def train() -> tuple[str, str, str]:
    """The first design's run, the layer that its first finding names, and the fork that follows from it."""
    from crimecast.designs.spec import parse_design
    from crimecast.diagnose.kept import findings_of
    from crimecast.grids.grid import list_grids
    from crimecast.lineage.steer import fork
    from crimecast.lineage.tree import effect
    from crimecast.runs import queue
    from crimecast.sample.shipped import ensure_sample

    ensure_sample()
    grid = list_grids("sample")[0]["grid"]
    design = parse_design((TOP / "docs" / "first_try.toml").read_text())
    first = queue.wait(queue.submit(queue.Request(design, grid)).id)
    found = next(one for one in findings_of(first) if one.patch and one.layer)
    second = queue.wait(fork(first, found.patch).id)
    effect(second)
    return first.id, str(found.layer), second.id


def frames(page: Any, url: str, first: str, layer: str, second: str) -> list[Image.Image]:
    """What is seen at each stop, with a line below."""
    stops = (
        (f"forecast?run={first}", ".maps3 .panel canvas.map", "Where is it wrong? Forecast, fact and error on one scale."),
        (f"layers?run={first}&layer={layer}", ".panel canvas", f"Which layer is to blame? All that passes through “{layer}”."),
        (f"findings?run={first}", "text=See the layer", "What is wrong with it, by which numbers, and the change that may mend it."),
        (f"runs?run={second}", ".js-plotly-plot", "The fork trains in the background; what it did is measured on its parent."),
        (f"compare?run={second}&with={first},{second},memory_mixture&against={first}", ".js-plotly-plot", "Did it help? On months that no choice was made by, with intervals."),
    )  # fmt: skip
    made = []
    for where, sign, line in stops:
        page.goto(f"{url}/{where}")
        page.locator(sign).first.wait_for(timeout=120_000)
        page.wait_for_function(
            "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
        )
        page.wait_for_timeout(3000)
        made.append(captioned(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), line))
    return made


def captioned(shot: Image.Image, line: str) -> Image.Image:
    """A page, smaller, with what is to be seen on it."""
    shot = shot.resize((SHOWN, SHOWN * shot.height // shot.width), Image.Resampling.LANCZOS)
    made = Image.new("RGB", (SHOWN, shot.height + 44), "#0072B2")
    made.paste(shot, (0, 0))
    font = ImageFont.truetype(FONT, 19)
    ImageDraw.Draw(made).text((16, shot.height + 10), line, "white", font=font)
    return made


def main() -> None:
    """Train, look, join."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CRIMECAST_DATA"] = folder
        names = train()
        server, url = serve(TOP / "app.py", Path(folder))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
                page = browser.new_context(viewport={"width": WIDE, "height": HIGH}).new_page()
                made = frames(page, url, *names)
                browser.close()
        finally:
            server.terminate()
    made[0].save(
        TOP / "docs" / "loop.webp", save_all=True, append_images=made[1:], duration=int(1000 * SECONDS), loop=0,
        quality=82, method=6,
    )  # fmt: skip


if __name__ == "__main__":
    main()

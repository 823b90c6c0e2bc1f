"""The record, scores, findings and pictures for an assistant that speaks the Model Context Protocol.

Read-only: nothing here trains, crawls, changes or deletes. It speaks over the standard input and output of the process
that whoever owns the data starts (`crimecast mcp`), and opens no port.
"""

import base64
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from crimecast import UserError
from crimecast.cities import list_cities, load_city
from crimecast.diagnose.kept import findings_of
from crimecast.forecasting.forecasts import rates, rivals, score_sums
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import list_grids
from crimecast.judging.scoring import table
from crimecast.plots.difference import difference
from crimecast.plots.scale import top_of
from crimecast.reporting.pictures import picture
from crimecast.runs.run import Run, list_runs, load_run
from crimecast.views.ground import ground

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

INSTRUCTIONS = (
    "Forecasts of recorded events on the grid of a city, and the networks that make them. Records show what was reported and "
    "recorded, not what happened; forecasts are of places and counts, never of persons, and no ground for acting against anyone. "
    "log_likelihood_per_event: higher is better, differences count; an interval that holds zero tells nothing apart."
)
MAPS = ("forecast", "actual", "error")


def cities() -> list[dict[str, Any]]:
    """The cities that are known, with their grids and how many runs were trained on each."""
    runs = list_runs()
    return [
        {
            "city": city.name, "title": city.title, "simulated": city.simulated,
            "grids": [
                {**{k: grid[k] for k in ("grid", "cell", "step", "cells", "events", "first", "last", "type_names")},
                 "runs": sum(run.grid == grid["grid"] for run in runs)}
                for grid in list_grids(city.name)
            ],
        }
        for city in list_cities()
    ]  # fmt: skip


def runs(grid: str = "") -> list[dict[str, Any]]:
    """The record: every training, of one grid or of all, with its parent, state, note and validation loss."""
    return [_row(run) for run in list_runs(grid or None)]


def run(name: str) -> dict[str, Any]:
    """One run of the record with its spec and all that its training gave."""
    one = load_run(name)
    return {**_row(one), "spec": one.spec, "summary": one.summary}


def scores(name: str) -> list[dict[str, Any]]:
    """A trained run beside the baselines on the steps it has not seen, with 95 % intervals; `versus` compares
    each with the run, by the same weeks."""
    one = _trained(name)
    first, last = unseen_period(one)
    cube = load_cube(one.grid)
    names = [name, *rivals(one, first, last)]
    return table(names, [score_sums(other, cube, first, last) for other in names])


def findings(name: str) -> list[dict[str, Any]]:
    """What is wrong with a trained run: the finding, its layer, the numbers, the advice and the change to its spec."""
    return [finding.row() for finding in findings_of(_trained(name))]


def map_png(name: str, what: str = "forecast", step: str = "") -> bytes:
    """A map as PNG, north at the top: `what` is forecast, actual or error (actual − forecast: orange is more than
    forecast, blue less), of a step by its date, or without one the mean over the unseen period."""
    if what not in MAPS:
        raise UserError(f"There is no map '{what}': use {', '.join(MAPS)}.")
    one = _trained(name)
    cube = load_cube(one.grid)
    first, last = unseen_period(one)
    made, fact = rates(name, cube, first, last).sum(axis=1), cube.counts[first:last].sum(axis=1)
    if step:
        at = cube.index(step)
        if not first <= at < last:
            raise UserError(f"The unseen steps are from {cube.label(first)} to {cube.label(last - 1)}.")  # fmt: skip
        made, fact = made[at - first : at - first + 1], fact[at - first : at - first + 1]
    mean, came, area = made.mean(axis=0), fact.mean(axis=0), cube.area(first)
    error = difference(came, mean)
    values = {"forecast": mean, "actual": came, "error": error}[what]
    off = what == "error"
    top = top_of(np.abs(error[area]) if off else np.concatenate([mean[area], came[area]]), 0.998)
    on = ground(load_city(cube.city), cube, False)
    address = picture(values, area, "diverging" if off else "sequential", -top if off else 0.0, top, on)  # fmt: skip
    return base64.b64decode(address.partition(",")[2])


def _trained(name: str) -> Run:
    one = load_run(name)
    if one.state != "done":
        raise UserError(f"{one.id} is {one.state}: it has no forecast yet.")
    return one


def _row(one: Run) -> dict[str, Any]:
    return {
        "run": one.id, "grid": one.grid, "state": one.state, "parent": one.parent, "seed": one.seed, "note": one.note,
        "validation_loss": one.summary.get("validation_loss"), "message": one.message,
    }  # fmt: skip


def server() -> "MCPServer":
    """The server with these tools. Raises UserError where the package `mcp` isn't installed."""
    try:
        from mcp.server.mcpserver import Image, MCPServer
    except ModuleNotFoundError:
        raise UserError(
            "The package mcp is not installed: pip install -r requirements-mcp.txt -c constraints.txt"
        ) from None

    def map_(name: str, what: str = "forecast", step: str = "") -> Image:
        return Image(data=map_png(name, what, step), format="png")

    made = MCPServer("crimecast", instructions=INSTRUCTIONS)
    for tool in (cities, runs, run, scores, findings):
        made.tool()(_said(tool))
    made.tool(name="map", description=map_png.__doc__)(_said(map_))
    return made


def _said(tool: Any) -> Any:
    """A tool whose bad input is a sentence, and NaN no number of JSON."""
    from mcp.server.mcpserver.exceptions import ToolError

    @wraps(tool)
    def asked(**given: Any) -> Any:
        try:
            return tool(**given)
        except UserError as error:
            raise ToolError(str(error)) from None

    return asked

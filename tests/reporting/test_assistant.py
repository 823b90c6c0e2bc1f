"""What an assistant reads over standard input and output is what the package says; it can change nothing."""

import asyncio
import base64
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crimecast import UserError
from crimecast.reporting import assistant
from crimecast.runs.run import list_runs

mcp = pytest.importorskip("mcp")
TOOLS = {"cities", "runs", "run", "scores", "findings", "map"}


def asked(*calls: tuple[str, dict[str, Any]]) -> tuple[set[str], list[Any]]:
    """The tools that a client is told of, and what it is answered."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    server = StdioServerParameters(command=sys.executable, args=["-m", "crimecast", "mcp"], env=environment)  # fmt: skip

    async def talk() -> tuple[set[str], list[Any]]:
        async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            tools = {tool.name for tool in (await session.list_tools()).tools}
            return tools, [await session.call_tool(name, given) for name, given in calls]

    return asyncio.run(talk())


@pytest.mark.long
def test_a_client_reads_the_record_scores_and_a_map(sample: str) -> None:
    before = [(run.id, run.state, run.note) for run in list_runs()]
    tools, (found, scored, drawn, wrong) = asked(
        ("runs", {"grid": sample}), ("scores", {"name": "stack-1"}), ("map", {"name": "stack-1", "what": "error"}),
        ("map", {"name": "stack-1", "what": "../secret"}),
    )  # fmt: skip
    assert tools == TOOLS
    rows = [json.loads(part.text) for part in found.content]
    rows = rows[0] if isinstance(rows[0], list) else rows
    assert [row["run"] for row in rows] == [run.id for run in list_runs(sample)]
    text = json.dumps([json.loads(part.text) for part in scored.content])
    assert "log_likelihood_per_event" in text
    assert "NaN" not in text
    picture = Image.open(io.BytesIO(base64.b64decode(drawn.content[0].data)))
    assert np.ptp(np.asarray(picture.convert("L"))) > 50
    assert wrong.is_error
    assert "There is no map" in wrong.content[0].text
    assert [(run.id, run.state, run.note) for run in list_runs()] == before


def test_what_there_is_not_is_a_sentence(sample: str) -> None:
    with pytest.raises(UserError, match="no run called"):
        assistant.scores("nobody-9")
    with pytest.raises(UserError, match="unseen steps are"):
        assistant.map_png("stack-1", step="2020-02-01")
    assert assistant.run("stack-1")["spec"].startswith("name")
    assert {city["city"] for city in assistant.cities()} >= {"sample", "chicago"}

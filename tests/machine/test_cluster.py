"""Where work is to be done, and what is said when it can't be done there."""

import pytest

from crimecast.designs.spec import parse_design
from crimecast.errors import UserError
from crimecast.machine.cluster import address_asked, connect
from crimecast.runs import queue
from tests.training.test_training import SMALL


def test_what_can_not_be_is_said(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="needs --executor ray"):
        address_asked(None, "there:6379")
    assert address_asked("ray", None) == "auto"
    monkeypatch.setenv("CRIMECAST_RAY_ADDRESS", "there:6379")
    assert address_asked(None, None) == "there:6379"
    assert address_asked("local", None) == ""
    monkeypatch.delenv("CRIMECAST_RAY_ADDRESS")
    with pytest.raises(UserError, match="Several workers need a Ray cluster"):
        queue.submit(queue.Request(parse_design(SMALL), sample, workers=2))


@pytest.mark.parametrize("port", ["1", "99999", "9" * 5000])
def test_a_cluster_that_is_not_there(port: str) -> None:
    with pytest.raises(UserError, match=rf"No Ray cluster answers at '127\.0\.0\.1:{port}'"):
        connect(f"127.0.0.1:{port}")


def test_a_run_for_a_cluster_that_is_not_there_fails_with_a_sentence(sample: str) -> None:
    run = queue.wait(
        queue.submit(queue.Request(parse_design(SMALL), sample, cluster="127.0.0.1:1")).id
    )
    assert run.state == "failed"
    assert "No Ray cluster answers at '127.0.0.1:1'" in run.message

"""A file is looked at as an import would read it, and nothing is stored."""

from pathlib import Path

import pytest

from crimecast.cities.city import is_registered
from crimecast.errors import Doubt, UserError
from crimecast.reading.files import opened
from crimecast.records.importing import import_file
from crimecast.records.look import Look, look
from crimecast.records.understanding import Request
from tests.conftest import tiny_csv


def seen(path: Path, **said: str) -> Look:
    with opened(path) as file:
        return look(file, path.name, Request("town", {}, zone="Europe/Berlin", **said))


def doubtful(path: Path) -> Path:
    lines = [
        f"{i},{1 + i // 50:02d}/01/2020 10:30,9.9{i:03d},53.5{i:03d},Theft" for i in range(600)
    ]
    path.write_text("\n".join(["id,date,longitude,latitude,type", *lines]))
    return path


def test_a_look_is_what_an_import_reads(data: Path, tmp_path: Path) -> None:
    path = tiny_csv(tmp_path / "a.csv")
    found = seen(path)
    assert not is_registered("town")
    result = import_file("town", path, zone="Europe/Berlin")
    assert found.read_as == result["read_as"]
    assert found.notices == result["notices"]
    assert sum(found.months.values()) == result["added"] - sum(result["dropped"].values())
    assert found.of_month("2020-01").height == found.months["2020-01"]
    assert found.doubt == ""


def test_a_doubt_is_shown_one_way_until_it_is_settled(data: Path, tmp_path: Path) -> None:
    path = doubtful(tmp_path / "a.csv")
    first = seen(path)
    assert first.doubt.endswith("say which it is. Shown here month first.")
    assert len(first.months) == 12
    settled = seen(path, order="dmy")
    assert (settled.doubt, settled.months) == ("", {"2020-01": 600})
    with pytest.raises(Doubt):
        import_file("town", path, zone="Europe/Berlin")


def test_other_doubts_are_raised(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,what\n1,Theft\n2,Theft\n")
    with pytest.raises(UserError, match="No column was found for the time"):
        seen(path)

"""The number of a record is found in any language, and the number of a case with several offences isn't one."""

import polars as pl
import pytest

from crimecast.reading.columns import FIELDS
from crimecast.records.understanding import guess_values

NAMES = [
    "Nº expediente",
    "Aktenzeichen",
    "nr_sprawy",
    "事件番号",
    "Dossier",
    "Diarienr",
    "номер дела",
    "Ilmoitusnumero",
    "nro_registro",
    "Numero denuncia",
    "číslo případu",
]


def rows(count: int = 200) -> dict[str, list]:
    return {
        "date": [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d} 10:{i % 60:02d}" for i in range(count)],
        "type": [["theft", "assault"][i % 2] for i in range(count)],
        "longitude": [0.1 + 0.001 * (i % 97) for i in range(count)],
        "latitude": [41.6 + 0.001 * (i % 89) for i in range(count)],
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_number_in_any_language_names_the_record(name: str) -> None:
    table = pl.DataFrame({name: [f"Z-{1000 + i}" for i in range(200)], **rows()})
    twice = pl.concat([table, table.head(4)])
    assert guess_values(twice)["source_id"] == name


@pytest.mark.parametrize("name", ["Teléfono nº", "plate number", "badge no", "victim id"])
def test_numbers_of_persons_and_things_do_not(name: str) -> None:
    table = pl.DataFrame({name: [f"Z-{1000 + i}" for i in range(200)], **rows()})
    assert "source_id" not in guess_values(table)


def test_a_case_of_several_offences_does_not() -> None:
    table = pl.DataFrame({"Aktenzeichen": [f"Z-{1000 + i}" for i in range(200)], **rows()})
    more = table.head(6).with_columns(pl.lit("fraud").alias("type"))
    assert "source_id" not in guess_values(pl.concat([table, more]))
    assert set(guess_values(table)) == set(FIELDS)

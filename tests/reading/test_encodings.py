"""The encoding of a text is found by its letters: words of many languages, written as their programs do."""

from pathlib import Path
from random import Random

import pytest

from crimecast.reading.files import opened

WORDS = {
    "cp932": ["窃盗", "暴行", "自転車盗", "車上ねらい", "東京都新宿区西新宿", "ひったくり"],
    "euc_jp": ["窃盗", "暴行", "自転車盗", "車上ねらい", "東京都新宿区西新宿", "ひったくり"],
    "gb18030": ["盗窃", "抢劫", "诈骗", "故意伤害", "北京市朝阳区建国路", "入室盗窃"],
    "big5": ["竊盜", "搶奪", "強盜", "汽車竊盜", "臺北市信義區", "住宅竊盜"],
    "cp949": ["절도", "강도", "폭력", "서울특별시 강남구", "살인", "방화"],
    "cp1251": ["кража", "грабёж", "разбой", "улица Ленина", "хулиганство", "Мошенничество"],
    "koi8_r": ["кража", "грабёж", "разбой", "улица Ленина", "хулиганство"],
    "cp1253": ["κλοπή", "ληστεία", "οδός Αθηνών", "φθορά"],
    "cp1250": ["krádež", "loupež", "vloupání", "Náměstí Míru", "řidič", "žhářství"],
    "iso8859_2": ["krádež", "loupež", "vloupání", "Náměstí Míru", "řidič", "žhářství"],
    "cp1250 ": ["lopás", "betörés", "bűncselekmény", "erőszak", "rablás", "Erzsébet körút"],
    "iso8859_2 ": ["kradzież", "włamanie", "rozbój", "pobicie", "ulica Świętokrzyska", "zabójstwo"],
    "cp1252 ": ["þjófnaður", "líkamsárás", "innbrot", "Reykjavík", "rán", "Hverfisgata"],
    "cp1252  ": ["furto", "agressão", "Praça da Sé", "roubo", "violência", "lesão corporal", "são opções"],
    "cp1252   ": ["robo", "hurto", "agresión", "daños", "Málaga", "lesión"],
    "cp1254": ["hırsızlık", "gasp", "yağma", "İstanbul Kadıköy", "şiddet"],
    "cp1252": ["Diebstahl", "Körperverletzung", "Überfall", "Straße", "vol “à la tire”", "Déménagement"],
    "cp850": ["Körperverletzung", "Überfall", "Straße", "dégradation"],
    "mac_roman": ["Körperverletzung", "Überfall", "Straße", "dégradation"],
    "cp1255": ["גניבה", "שוד", "רחוב הרצל", "תקיפה"],
    "cp1256": ["سرقة", "اعتداء", "شارع الملك", "سطو"],
    "cp852": ["krádež", "loupež", "vloupání", "Náměstí Míru", "řidič", "výtržnictví"],
    "cp852 ": ["kradzież", "włamanie", "rozbój", "ulica Świętokrzyska", "zakłócenie"],
    "mac_latin2": ["krádež", "loupež", "vloupání", "Náměstí Míru", "řidič", "výtržnictví"],
    "cp1250  ": ["krađa", "razbojništvo", "narušavanje reda", "teška krađa", "Šibenik"],
    "cp1257": ["zādzība", "laupīšana", "krāpšana", "īpašuma bojāšana", "Brīvības iela"],
    "iso8859_13": ["vagystė", "plėšimas", "sukčiavimas", "viešosios tvarkos", "Gedimino pr. Žirmūnai"],
    "cp866": ["кража", "грабёж", "разбой", "улица Ленина", "хулиганство"],
    "iso8859_5": ["кража", "грабёж", "разбой", "улица Ленина", "хулиганство"],
    "mac_cyrillic": ["кража", "грабёж", "разбой", "улица Ленина", "хулиганство"],
    "koi8_u": ["крадіжка", "грабіж", "шахрайство", "вулиця Хрещатик", "побиття"],
    "cp1251 ": ["крађа", "разбојништво", "насиље", "Кнез Михаилова"],
    "cp737": ["κλοπή", "ληστεία", "οδός Αθηνών", "φθορά"],
    "cp857": ["hırsızlık", "gasp", "dolandırıcılık", "İstanbul Kadıköy", "şantaj"],
    "cp862": ["גניבה", "שוד", "רחוב הרצל", "תקיפה"],
    "iso8859_6": ["سرقة", "اعتداء", "شارع الملك", "سطو"],
    "johab": ["절도", "강도", "폭력", "서울특별시 강남구", "살인", "방화"],
    "mac_roman ": ["furto", "agressão", "extorsão", "lesão corporal", "Praça da Sé"],
    "cp874": ["ลักทรัพย์", "ปล้น", "ทำร้ายร่างกาย", "ถนนสุขุมวิท"],
}  # fmt: skip


@pytest.mark.parametrize("encoding", WORDS)
@pytest.mark.parametrize("seed", [0, 1])
def test_words_are_read_in_the_encoding_that_wrote_them(
    tmp_path: Path, encoding: str, seed: int
) -> None:
    rng = Random(seed)
    words = [rng.choice(WORDS[encoding]) for _ in range(80)]
    rows = [f"{i},2020-01-05 10:{i % 60:02d},139.7,35.6,{word}" for i, word in enumerate(words)]
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join(["id,date,longitude,latitude,type", *rows]).encode(encoding.strip()))
    with opened(path) as file:
        assert file.rows.column("type").first.to_list() == words
        assert [notice.code for notice in file.notices] == ["encoding"]


def test_few_bytes_of_no_encoding_are_western(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,type\n1,café\n2,theft\n".encode("latin-1"))
    with opened(path) as file:
        assert file.rows.column("type").first.to_list() == ["café", "theft"]


def test_greek_halves_of_the_day_in_a_korean_text(tmp_path: Path) -> None:
    rows = [
        f"{i},2020-01-05 10:{i % 60:02d} {'πμ'[i % 2]}μ,{['절도', '강도'][i % 2]}"
        for i in range(80)
    ]
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join(["id,date,type", *rows]).encode("cp949"))
    with opened(path) as file:
        assert file.rows.column("type").first.to_list()[:2] == ["절도", "강도"]

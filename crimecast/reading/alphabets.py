"""Which older encoding of one byte a letter a text was written in: the one in which its words are made of
the letters of one language.

Each distinct word beyond ASCII is as likely as its letters: those of a language by how often it has
them (in proportion to 1 / (2 + rank), as orders of letters are known and their shares hardly matter),
a capital where it may stand, and nothing else. The largest sum over the words wins, with a little
against encodings that are rare by now.
"""

import math
import re
from collections.abc import Collection
from functools import cache

# Letters beyond ASCII, the most frequent first; a Latin language has those of ASCII as well.
LATIN = {
    "French": "éèàêçùôâîûëïœæÿü", "German": "üäößé", "Spanish": "óíáéñúü", "Portuguese": "ãçáéíóõêúâàôü",
    "Italian": "àèòùìéî", "Dutch": "ëéïèüöêç", "Danish": "øåæéöä", "Norwegian": "åøæéòô", "Swedish": "äåöéü",
    "Finnish": "äöåšž", "Icelandic": "áðíéþóúýöæ", "Catalan": "àóèéíçúïòü", "Galician": "óíéñáúü", "Irish": "áéíóú",
    "Polish": "łóążęśćńźé", "Czech": "íáéěřýčžůšúťňďó", "Slovak": "áíýčéžľšúťňôďóäŕĺ", "Hungarian": "áéöóőüíúű",
    "Croatian": "čšžćđé", "Romanian": "ăîâșțé", "Romanian, cedillas": "ăîâşţé", "Albanian": "ëçé",
    "Lithuanian": "ėųšžįąūčęõ", "Latvian": "āīēšūļņžģķčŗō", "Estonian": "äõüöšžé",
    "Turkish": "ıüşğçöâîû", "Maltese": "ħżġċàù", "Esperanto": "ĉĝĥĵŝŭ",
}  # fmt: skip
VIETNAMESE = "đáàưếạộêôơâăéíóúèìòùýãõĩũ\u0301\u0300\u0323\u0309\u0303"
OWN = {
    "Russian": "оеаинтсрвлкмдпугяызбйьчхжцшюфщэъё", "Ukrainian": "оаніирвтесклудмпзяьбгйчхцїжшющєфґ",
    "Bulgarian": "аиоентрсвлкдпмзгяъубчцйжщхшфюь", "Serbian": "аиоенрсуткјвдмплгзбшчцжћњхђљфџ",
    "Belarusian": "анеіыркослтвдягумпбзцўшйчжхьёюэф", "Macedonian": "аоеинтрсвкдлјмпузшгбчцжќхњфѓљџѕ",
    "Greek": "ατοιενρσκηπςυμλίόάγέδήωχθύφβξζώψϊϋΐΰ",
    "Hebrew": "יוהלרבתמאשנעםדקחפסכגטצןזךףץ", "Arabic": "اليمونرتبةعدسفهكقأحجشطصىخإزضذغئثظءآؤ",
    "Farsi": "ایردنهومتبسلکشزفگعخقجآپحطصچغضثظئذژءيك",
    "Thai": "านรอกเงมยลวดทสตะปบคหแจพชขใไผถซธณฉศภฝษฐฏญฎฟฆฬฮโฯ\u0e31\u0e34\u0e35\u0e36\u0e37\u0e38\u0e39\u0e47\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e33\u0e4d\u0e46",
}  # fmt: skip

WESTERN = (("cp1252", 0.0), ("cp850", 5.0), ("mac_roman", 3.0), ("cp437", 8.0))
CENTRAL = (("cp1250", 0.0), ("iso8859_2", 1.0), ("cp852", 4.0), ("mac_latin2", 9.0))
CYRILLIC = (
    ("cp1251", 0.0), ("koi8_u", 2.0), ("koi8_r", 2.0), ("cp866", 2.0), ("iso8859_5", 4.0),
    ("mac_cyrillic", 3.0), ("cp855", 8.0),
)  # fmt: skip
WRITTEN_IN = {
    **dict.fromkeys(
        ("French", "German", "Spanish", "Portuguese", "Italian", "Dutch", "Danish", "Norwegian", "Swedish", "Finnish",
         "Icelandic", "Catalan", "Galician", "Irish", "Albanian"), WESTERN,
    ),
    **dict.fromkeys(("Polish", "Czech", "Slovak", "Hungarian", "Croatian", "Romanian, cedillas"), CENTRAL),
    "Romanian": (("iso8859_16", 2.0),),
    **dict.fromkeys(
        ("Lithuanian", "Latvian", "Estonian"),
        (("cp1257", 0.0), ("iso8859_13", 1.0), ("iso8859_4", 4.0), ("cp775", 5.0)),
    ),
    "Turkish": (("cp1254", 0.0), ("cp857", 3.0), ("mac_turkish", 6.0)),
    "Maltese": (("iso8859_3", 5.0),), "Esperanto": (("iso8859_3", 6.0),),
    "Vietnamese": (("cp1258", 1.0),),
    **dict.fromkeys(("Russian", "Ukrainian", "Bulgarian", "Serbian", "Belarusian", "Macedonian"), CYRILLIC),
    "Greek": (("cp1253", 0.0), ("iso8859_7", 1.0), ("cp737", 3.0), ("cp869", 4.0), ("mac_greek", 6.0)),
    "Hebrew": (("cp1255", 0.0), ("iso8859_8", 1.0), ("cp862", 3.0)),
    "Arabic": (("cp1256", 0.0), ("iso8859_6", 1.0), ("cp864", 4.0)), "Farsi": (("cp1256", 1.0),),
    "Thai": (("cp874", 0.0),),
}  # fmt: skip

SIGNS = set("§°´–—“”‘’„…€£º«»¿¡№‚‰™ª·\xa0")
ABOVE = set(
    "\u0e31\u0e34\u0e35\u0e36\u0e37\u0e38\u0e39\u0e47\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e33"
)  # stand on a letter of Thai
SIGN, ODD = math.log(0.02), math.log(1e-4)  # a sign between words; what no language has there
CAPITAL = math.log(0.001)  # after a small letter
ALONE = math.log(0.2)  # among letters of the other alphabet
WORDS = 2000
WORDLIKE = -4.5  # a letter: words have -1.4 (German) to -4.0 (Thai), other bytes less than -4.9
WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")


@cache
def _likely(language: str) -> dict[str, float]:
    letters = LATIN.get(language) or OWN.get(language) or VIETNAMESE
    weights = [1 / (2 + rank) for rank in range(len(letters))]
    known = {sign: math.log(w / sum(weights)) for sign, w in zip(letters, weights, strict=True)}
    return {
        **{sign.upper(): value for sign, value in known.items() if len(sign.upper()) == 1},
        **known,
    }


def likeliest(letters: bytes, among: Collection[str] | None = None) -> str | None:
    """The encoding (of those `among`) in which the words of a text are likeliest; None where they are
    words in none of them, as those of Chinese, Japanese and Korean are."""
    words = list(dict.fromkeys(WORD.findall(letters)))[:WORDS]
    count = sum(byte > 127 for word in words for byte in word)
    found: dict[str, tuple[float, float]] = {}
    for encoding, languages in _by_encoding().items():
        if among is None or encoding in among:
            read = [word.decode(encoding, errors="replace") for word in words]
            found[encoding] = max(
                (value - against, value)
                for value, against in (
                    (sum(_word(one, language) for one in read), against)
                    for language, against in languages
                )
            )
    name = max(found, key=lambda one: found[one])
    return name if count and found[name][1] / count > WORDLIKE else None


@cache
def _by_encoding() -> dict[str, list[tuple[str, float]]]:
    made: dict[str, list[tuple[str, float]]] = {}
    for language, encodings in WRITTEN_IN.items():
        for encoding, against in encodings:
            made.setdefault(encoding, []).append((language, against))
    return made


def _word(word: str, language: str) -> float:
    """The logarithm of how likely the letters beyond ASCII of a word are in a language."""
    known, own = _likely(language), language in OWN
    total = 0.0
    padded = f" {word} "
    for before, sign, after in zip(padded, padded[1:], padded[2:], strict=False):
        if sign.isascii():
            continue
        value = known.get(sign)
        if value is None:
            total += SIGN if sign in SIGNS and not (before.isalpha() and after.isalpha()) else ODD
            continue
        if sign.isupper() and before.islower():
            value += CAPITAL
        if sign in ABOVE and (before.isascii() or before not in known):
            value += CAPITAL
        neighbours = [one for one in (before, after) if one.isalpha()]
        if (own and any(one.isascii() for one in neighbours)) or (
            not own and neighbours and not any(one.isascii() for one in neighbours)
        ):
            value += ALONE
        total += value
    return total

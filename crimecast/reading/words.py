"""Words that names of columns are made of, in many languages: they break ties that values leave."""

import re

HAPPENED = re.compile(
    r"occ|ocor|ocur|offen|incid|crime|event|happen|start|begin|from|commit|hecho|fato|tat(?!us|e|ion)|delit|fait|when|発生|发生|發生|발생|соверш|скоен|τελεσ|διαπραξ|popeln|spach|elkovet|ביצוע|발생|comis|gjern|garning|begang|tapaht"
)
DATED = re.compile(
    r"date|time|when|dt|day|yyyymm|(^|_)ym(_|$)|datum|fecha|stamp|zeit|data|moment|jour|tag|dato|дата|日|時|时|날짜|일시|วันที่|تاريخ|ημερομηνια|tarih"
)
LATER = re.compile(
    r"report|rptd|rpt|creat|added|insert|upload|ingest|updat|modif|load|enter|clos|clear|arrest|court|hearing|trial|as_?of|extract|record|publish|approv|dispos|end|until|_to$|last|"
    r"birth|dob|suppl|receiv|edit|extract|version|valid|due|expir|(^|_)to(_|$)|ende|enrou?t|arr(iv|_|$)|clr|on_?scene|elabor|registr|comunic|lavr|denunc|melde|aufnahme|erfass|καταγγελ|αναφορ|zg[lł]osz|prijav|ohlas|hlasen|oznam|bejelent|bildir|ihbar|sikayet|תלונה|접수|신고|raport|sesiz|anmal|anmeld|ilmoit|prane[sš]|заявл|регистр|обращ|بلاغ|認知|届出|登記"
)
CLOCK = re.compile(
    r"time|hour|hora|heure|uhr|zeit|clock|tod|hhmm|hrs?$|ora|stunde|klo|tijd|uur|godz|saat|franja|minut|midnight|(^|_)(tid|h|hh|tm|std)$|"
    r"час|время|ωρα|時|时|시각|시간|เวลา|समय|وقت|ساعة"
)
ENDING = re.compile(r"(^|_)(hour|hr|hrs|h)_?(end|ending)$")  # 13 is the hour from 12 to 13
KIND = re.compile(
    r"type|species|scientific_?name|common_?name|taxon|ofns|rubrica|nature|loai|rodzaj|(^|_)cat$|^incident$|general_code|죄|범죄|處理|offen|categor|crime|descri|delito|delikt|ucr|charge|nature|kind|what|class|statute|tipo|art$|infrac|straft|vergehen|"
    r"misdrijf|(^|_)feit(_|$)|delict|soort|brott|druh|buncsel|ประเภท|(^|_)סוג|(^|_)mci(_|$)|罪|種別|手口|类型|類|종류|вид|тип|είδος|ειδος|(^|_)suc|(^|_)(veids|rusis|liik|tegund|vrsta|jenis)(_|$)|врста|نوع|案類"
)
OFFENCE = re.compile(
    r"misdrijf|delict|crim|offen|of+ns|delit|delik|straft|infrac|charge|ucr|罪|手口|죄|преступ|злочин|(^|_)suc"
)
NOT_KIND = re.compile(
    r"code|date|time|location|premis|person|weapon|status|district|address|victim|suspect|cd$|num|vehicle|property|report|case|call|"
    r"street|calle|via$|road|day|fecha|arm[ae]|lugar|place|domestic"
)
# What tells of somebody or something else than the offence, however it is named.
OTHER = re.compile(
    r"vehicle|weapon|victim|suspect|person|street|road|via$|property|location|premis|district|status|address|date|time"
)
BEGUN = r"(^|_|(?<=occurrence)|(?<=occurred)|(?<=reported)|(?<=report))"
PART = {
    "year": re.compile(
        rf"{BEGUN}(u?jahr|i?year|yr|an|ano|annee|jaar|rok|vuosi|år|ar|yıl|yil|ev)$|^年$|^ปี$|年$"
    ),
    "month": re.compile(
        rf"{BEGUN}(u?monat|i?month|mon|mes|mois|maand|miesiac|manad|ay|ho|honap|mesic)$|^月$|^เดือน$|月$"
    ),
    "day": re.compile(rf"{BEGUN}(tag|i?day|dia|jour|dag|dzien|gun|nap|den)$|^日$|^วันที่$|日$"),
    "hour": re.compile(
        rf"{BEGUN}(u?stunde|hour|hr|hora|heure|uur|godzina|saat|ora|hodina|timme|tim|tunti|hh?|gio|ura|chas|час|ώρα|ωρα|시|시각)$|^時$|^เวลา$|時$"
    ),
    "minute": re.compile(
        rf"{BEGUN}(min|mins|mn|mm|mi|minut|minute[nrs]?|minut[aio]|minutos|minuut|minutter|minuutti|dakika|perc|phut|хвилина|минута?|minuta|λεπτ[αό]|분)$|^分$|分$"
    ),
}
DAY_NUMBER = re.compile(r"(^|_)(doy|yday|julian)")
FISCAL = re.compile(r"fiscal|financ|school|(^|_)fy")  # years that begin in another month
CORNER = re.compile(r"(^|_)(min|max|west|east|north|south|xmin|xmax|ymin|ymax|ul|lr|ll|ur)(_|$)")
PERSON = re.compile(r"birth|dob|vict|suspect")  # whose times begin long before
COUNTER = re.compile(
    r"^(objectid(_\d+)?|object_id|fid|ogc_fid|gid|rowid|row|row_number|rownum|index|idx|no|nr|number|seq|unnamed_0|column_\d+|level_0|_id|n)$"
)
IDENTITY = re.compile(
    r"(^|_)(id|ident|no|nr|num|number|key|uid|uuid|guid|case|report|dr)(_|$)|number|nummer|_id$|^id|(^|_)c_j(_|$)|spis_|akten|expedient|processo|boletim|folio|dossier|protocoll|sagsnr|diarienr|dnr|zaaknr|番号|編號|编号|번호|номер|"
    r"numer|numar|numur|núm|nùm|(^|_)nro(_|$)|registro|tunniste|cislo|číslo|(^|_)broj|sz[aá]ma?(_|$)|αριθμ|stevilka|številka|sifra|šifra|kennung|identif|laufnummer|folyosorsz"
)
# Clocks of something else than what happened: how long it took, or when a shift began.
LENGTH = re.compile(
    r"elaps|precis|accura|qualit|uncertain|durat|dauer|respon|taken|travel|turnaround|wait|delay|sunset|sunrise|dispatch|shift|on_?scene|transit|handl|process|length|interval|minutes_to|time_to"
)
# Values that are no types of offence: how a case stands, sexes, urgency, yes and no.
# What happened, in a type's own words: theft, robbery, burglary, assault, murder, fraud, damage, drugs, …
CRIMES = re.compile(
    r"thef?t|robber|burglar|assault|batter(y|ies)|homicid|murder|larcen|fraud|vandal|arson|narcotic|kidnap|(^|\W)rape|trespass|shoplift|stolen|mischief|"
    r"criminal damage|forgery|harass|prostitut|break.{0,5}enter|violence|shooting|"
    r"diebstahl|(^|\W)raub|einbruch|k[öo]e?rperverletzung|sachbesch[äa]|betrug|totschlag|brandstift|"
    r"(^|\W)robo|hurto|homic[ií]d|lesion|asalto|extorsi|estafa|violaci[oó]n|secuestro|feminicid|amenaza|furto|roubo|les[ãa]o corporal|estelionato|tr[áa]fico|"
    r"amea[çc]a|(^|\W)vols?(\W|$)|cambriolage|agression|escroquerie|meurtre|d[ée]gradation|rapina|omicidio|truffa|danneggiament|scippo|"
    r"diefstal|inbraak|mishandeling|overval|vernieling|zakkenroll|oplichting|kradzie|rozb[óo]j|w[łl]amanie|pobicie|zab[óo]jstwo|"
    r"краж|краді|грабе|грабі|разбой|розбі|убийств|вбивств|мошенн|хулиган|побо|trộm|cướp|lừa đảo|gây thương|ma túy|"
    r"ลักทรัพย์|ชิงทรัพย์|ปล้น|ทำร้าย|วิ่งราว|ฉ้อโกง|h[ıi]rs[ıi]zl[ıi]k|gasp(\W|$)|yaralama|doland[ıi]r|kr[áa]de[žz]|loupe[žz]|vloup|ubl[íi][žz]en|"
    r"stöld|tyveri|inbrott|indbrud|misshandel|bedr[äa]geri|varkaus|ryöstö|pahoinpitely|lopás|rablás|betörés|t[âa]lh[ăa]r|κλοπ|ληστεί|διάρρηξ|"
    r"سرقة|اعتداء|גניבה|שוד|פריצה|תקיפה|窃盗|竊盜|盗窃|偷|ひったくり|強盗|強盜|抢劫|搶奪|空き巣|ねらい|自転車盗|暴行|傷害|伤害|詐欺|诈骗|절도|강도|폭행|상해|사기|"
    r"चोरी|लूट|डकैती|تخريب|احتيال|قتل|خطف|سطو|نشل|سرقت|چوری|הונאה|רצח|ונדליזם|הטרדה|סמים|אלימות|(^|\W)furt|[iî]n[sșş]el[aă]|(^|\W)lovir|"
    r"kra[dđ]|razbojni|prijevar|prevar|tatvin|(^|\W)rop(\W|$)|goljuf|крађ|разбојн|превар|насиљ|измам|шахрай|хуліган|z[aā]dz[iī]b|laup[iī]|kr[aā]p[sš]|"
    r"vagyst|pl[eė][sš]im|suk[cč]iav|vargus|r[oö][oö]vimi|kelmus|þjófn|líkamsár|innbrot|pencuri|perampok|penganiaya|penipu|(^|\W)(rompak|samun|curi)|carnap|"
    r"csalás|garázda|lúpež|vjedhje|grabitje|robatori|lapurreta|petos|r[oø]veri|h[aæ]rverk|απάτη|φθορ",
    re.IGNORECASE,
)
NO_KIND = re.compile(
    r"open|closed|pending|cleared( by \w+)?|active|inactive|arrest|no arrest|suspended|resolved|unresolved|new|in progress|completed|"
    r"unfounded|founded|inv(estigation)? cont\w*|adult arrest|juv(enile)? arrest|male|female|m|f|x|unknown|y|n|yes|no|true|false|"
    r"(p|pri|priority ?)?[0-9]|low|medium|high|urgent|routine|emergency|confirmed|probable|suspected|not a case|ruled out|discarded|abierto|cerrado|aberto|fechado|offen|geschlossen|ouvert|clos"
)

"""Why a row or a request is refused, in the four languages. Imports nothing: the gateway has no CKAN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LANGUAGES = ("fr", "de", "en", "lb")

TEXTS: dict[str, tuple[str, str, str, str]] = {
    # rule: French, German, English, Luxembourgish
    "not_an_object": (
        "La ligne n’est pas un objet JSON.",
        "Die Zeile ist kein JSON-Objekt.",
        "The row is not a JSON object.",
        "D’Zeil ass keen JSON-Objet.",
    ),
    "not_json": (
        "La ligne n’est pas du JSON valable.",
        "Die Zeile ist kein gültiges JSON.",
        "The row is not valid JSON.",
        "D’Zeil ass kee gültegt JSON.",
    ),
    "line_too_long": (
        "La ligne dépasse {limit} octets.",
        "Die Zeile ist länger als {limit} Byte.",
        "The row is longer than {limit} bytes.",
        "D’Zeil ass méi laang wéi {limit} Bytes.",
    ),
    "csv_columns": (
        "La ligne a {found} valeurs, l’en-tête {expected}.",
        "Die Zeile hat {found} Werte, die Kopfzeile {expected}.",
        "The row has {found} values, the header {expected}.",
        "D’Zeil huet {found} Wäerter, d’Kappzeil {expected}.",
    ),
    "unknown_column": (
        "Le flux n’a pas cette colonne.",
        "Der Datenstrom hat diese Spalte nicht.",
        "The feed has no such column.",
        "De Flux huet dës Kolonn net.",
    ),
    "missing": (
        "Une valeur est obligatoire ici.",
        "Hier muss ein Wert stehen.",
        "A value is required here.",
        "Hei muss e Wäert stoen.",
    ),
    "not_text": (
        "Un texte est attendu.",
        "Ein Text wird erwartet.",
        "Text is expected.",
        "En Text gëtt erwaart.",
    ),
    "nul_byte": (
        "Le texte contient un octet nul.",
        "Der Text enthält ein Nullbyte.",
        "The text holds a NUL byte.",
        "Am Text ass en Nullbyte.",
    ),
    "not_a_number": (
        "Un nombre est attendu, avec un point décimal.",
        "Eine Zahl mit Dezimalpunkt wird erwartet.",
        "A number with a decimal point is expected.",
        "Eng Zuel mat Dezimalpunkt gëtt erwaart.",
    ),
    "not_finite": (
        "Le nombre n’est pas fini (NaN, infini ou trop grand).",
        "Die Zahl ist nicht endlich (NaN, unendlich oder zu groß).",
        "The number is not finite (NaN, infinite or too large).",
        "D’Zuel ass net endlech (NaN, onendlech oder ze grouss).",
    ),
    "not_an_integer": (
        "Un nombre entier est attendu.",
        "Eine ganze Zahl wird erwartet.",
        "A whole number is expected.",
        "Eng ganz Zuel gëtt erwaart.",
    ),
    "out_of_type": (
        "Le nombre ne tient pas dans cette colonne.",
        "Die Zahl passt nicht in diese Spalte.",
        "The number does not fit into this column.",
        "D’Zuel passt net an dës Kolonn.",
    ),
    "not_a_boolean": (
        "true ou false est attendu.",
        "true oder false wird erwartet.",
        "true or false is expected.",
        "true oder false gëtt erwaart.",
    ),
    "not_a_date": (
        "Une date AAAA-MM-JJ est attendue.",
        "Ein Datum JJJJ-MM-TT wird erwartet.",
        "A date YYYY-MM-DD is expected.",
        "En Datum JJJJ-MM-DD gëtt erwaart.",
    ),
    "not_a_time": (
        "Une date avec l’heure est attendue (ISO 8601), par exemple 2026-03-01T12:00:00Z.",
        "Datum und Uhrzeit werden erwartet (ISO 8601), zum Beispiel 2026-03-01T12:00:00Z.",
        "Date and time are expected (ISO 8601), for example 2026-03-01T12:00:00Z.",
        "Datum an Auerzäit gi erwaart (ISO 8601), zum Beispill 2026-03-01T12:00:00Z.",
    ),
    "no_time_zone": (
        "L’heure n’a pas de fuseau : ajoutez Z ou un décalage comme +01:00.",
        "Der Uhrzeit fehlt die Zeitzone: Z oder eine Abweichung wie +01:00 anfügen.",
        "The time has no zone: add Z or an offset such as +01:00.",
        "Der Auerzäit feelt d’Zäitzon: setzt Z oder en Ënnerscheed wéi +01:00 derbäi.",
    ),
    "below_range": (
        "La valeur est sous le minimum du contrat, {limit}.",
        "Der Wert liegt unter dem Minimum des Vertrags, {limit}.",
        "The value is below the contract’s minimum, {limit}.",
        "De Wäert ass ënner dem Minimum vum Kontrakt, {limit}.",
    ),
    "above_range": (
        "La valeur dépasse le maximum du contrat, {limit}.",
        "Der Wert liegt über dem Maximum des Vertrags, {limit}.",
        "The value is above the contract’s maximum, {limit}.",
        "De Wäert ass iwwer dem Maximum vum Kontrakt, {limit}.",
    ),
    "future": (
        "L’heure est à plus de {seconds} s dans le futur.",
        "Die Zeit liegt mehr als {seconds} s in der Zukunft.",
        "The time is more than {seconds} s in the future.",
        "D’Zäit läit méi wéi {seconds} s an der Zukunft.",
    ),
    "late": (
        "La ligne est en retard de plus de {seconds} s sur la dernière de sa série.",
        "Die Zeile liegt mehr als {seconds} s hinter der neuesten ihrer Reihe.",
        "The row is more than {seconds} s behind the newest of its series.",
        "D’Zeil läit méi wéi {seconds} s hannert der neister vun hirer Serie.",
    ),
    "too_old": (
        "La ligne est plus ancienne que ce que le flux conserve.",
        "Die Zeile ist älter, als der Datenstrom aufbewahrt.",
        "The row is older than what the feed keeps.",
        "D’Zeil ass méi al wéi dat, wat de Flux späichert.",
    ),
    "refused_by_database": (
        "La base de données refuse cette ligne.",
        "Die Datenbank weist diese Zeile zurück.",
        "The database refuses this row.",
        "D’Datebank refuséiert dës Zeil.",
    ),
    # Requests.
    "no_feed": (
        "Il n’y a pas de flux ici.",
        "Hier gibt es keinen Datenstrom.",
        "There is no feed here.",
        "Hei gëtt et kee Flux.",
    ),
    "no_token": (
        "Un jeton valable est nécessaire.",
        "Ein gültiges Token ist nötig.",
        "A valid token is needed.",
        "E gültegen Token ass néideg.",
    ),
    "not_allowed": (
        "Ce compte ne peut pas écrire ici.",
        "Dieses Konto darf hier nicht schreiben.",
        "This account may not write here.",
        "Dëse Kont däerf hei net schreiwen.",
    ),
    "personal_data": (
        "Le jeu de données déclare des données personnelles : aucune ligne n’entre.",
        "Der Datensatz meldet personenbezogene Daten: keine Zeile wird angenommen.",
        "The dataset declares personal data: no row enters.",
        "Den Dateset deklaréiert perséinlech Daten: keng Zeil gëtt ugeholl.",
    ),
    "method": (
        "Cette adresse ne connaît pas cette méthode.",
        "Diese Adresse kennt diese Methode nicht.",
        "This address does not know that method.",
        "Dës Adress kennt dës Method net.",
    ),
    "media_type": (
        "Formats acceptés : application/x-ndjson, application/json, text/csv.",
        "Angenommen werden: application/x-ndjson, application/json, text/csv.",
        "Accepted formats: application/x-ndjson, application/json, text/csv.",
        "Ugeholl ginn: application/x-ndjson, application/json, text/csv.",
    ),
    "encoding": (
        "Le corps n’est pas lisible : UTF-8 ou gzip sont attendus.",
        "Der Inhalt ist nicht lesbar: UTF-8 oder gzip werden erwartet.",
        "The body cannot be read: UTF-8 or gzip is expected.",
        "Den Inhalt ass net liesbar: UTF-8 oder gzip gi erwaart.",
    ),
    "not_an_array": (
        "Le corps n’est pas un tableau JSON d’objets.",
        "Der Inhalt ist keine JSON-Liste von Objekten.",
        "The body is not a JSON array of objects.",
        "Den Inhalt ass keng JSON-Lëscht vun Objeten.",
    ),
    "csv_header": (
        "La première ligne du CSV doit nommer les colonnes du flux.",
        "Die erste CSV-Zeile muss Spalten des Datenstroms nennen.",
        "The first line of the CSV must name columns of the feed.",
        "Déi éischt CSV-Zeil muss Kolonne vum Flux nennen.",
    ),
    "empty": (
        "Le corps ne contient aucune ligne.",
        "Der Inhalt hat keine Zeile.",
        "The body holds no row.",
        "Am Inhalt ass keng Zeil.",
    ),
    "too_large": (
        "Le corps dépasse {limit} octets : envoyez-le en plusieurs fois.",
        "Der Inhalt ist größer als {limit} Byte: bitte in Teilen senden.",
        "The body is larger than {limit} bytes: send it in parts.",
        "Den Inhalt ass méi grouss wéi {limit} Bytes: schéckt en a Stécker.",
    ),
    "too_slow": (
        "Le corps n’est pas arrivé à temps.",
        "Der Inhalt kam nicht rechtzeitig an.",
        "The body did not arrive in time.",
        "Den Inhalt ass net zäiteg ukomm.",
    ),
    "busy": (
        "Trop de lignes attendent : réessayez dans quelques secondes.",
        "Zu viele Zeilen warten: bitte in einigen Sekunden wieder versuchen.",
        "Too many rows are waiting: try again in some seconds.",
        "Ze vill Zeile waarden: probéiert an e puer Sekonnen nach eng Kéier.",
    ),
    "away": (
        "Un service est arrêté ou redémarre : renvoyez les mêmes lignes dans quelques secondes.",
        "Ein Dienst ruht oder startet neu: dieselben Zeilen in einigen Sekunden wieder senden.",
        "A service is down or restarting: send the same rows again in some seconds.",
        "E Service steet oder start nei: schéckt déi selwecht Zeilen an e puer Sekonnen nach eng Kéier.",
    ),
    "not_seen": (
        "Ce lecteur ne voit pas les colonnes de clé et de temps.",
        "Dieser Leser sieht die Spalten von Schlüssel und Zeit nicht.",
        "This reader does not see the columns of key and time.",
        "Dëse Lieser gesäit d’Kolonne vu Schlëssel an Zäit net.",
    ),
    "event_id": (
        "L’identifiant d’événement n’est pas un nombre.",
        "Die Ereigniskennung ist keine Zahl.",
        "The event’s id is not a number.",
        "D’Kennung vum Evenement ass keng Zuel.",
    ),
}


@dataclass(frozen=True)
class Reason:
    """A rule that was broken, with the arguments of its sentence."""

    rule: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def to(self, language: str) -> str:
        texts = TEXTS[self.rule]
        return texts[LANGUAGES.index(language)].format(**self.arguments)


def preferred(header: str) -> str:
    """The first of our languages that an Accept-Language header wants (RFC 9110, section 12.5.4)."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        name, _, quality = part.partition(";")
        language = name.strip().lower().split("-")[0]
        value = quality.strip().removeprefix("q=")
        if language in LANGUAGES:
            weight = float(value) if value.replace(".", "", 1).isdecimal() else 1.0
            wanted.append((-weight, language))
    return min(wanted, key=lambda pair: pair[0])[1] if wanted else LANGUAGES[0]

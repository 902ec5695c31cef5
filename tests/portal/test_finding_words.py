"""What readers type and what addresses say, made into queries that cannot fail: no service."""

from __future__ import annotations

import time

import pytest
from ckanext.ccphva import thesaurus
from ckanext.ccphva.finding import asking, feed, words


class TestWords:
    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ("déchets OR énergie", "déchets OR énergie"),
            ("(déchets OR énergie) AND Audun", "( déchets OR énergie ) AND Audun"),
            ("Audun -déchets", "Audun -déchets"),
            ("NOT déchets", "*:* NOT déchets"),
            ("-déchets", "*:* -déchets"),
            ('"points d’eau"', '"points d\'eau"'),
            ("qualité de l’eau", "qualité l'eau"),
            ("le la les", "le la les"),
            ("déch*", "déch*"),
            ("Budget: 2024", "Budget 2024"),
            ("eau && air", "eau AND air"),
        ],
    )
    def test_what_means_something_stays(self, given: str, text: str) -> None:
        """Words, phrases, signs and operators are understood; small words count only by themselves."""
        assert words.read(given).text == text

    @pytest.mark.parametrize(
        "given",
        [
            "(",
            ")(",
            '"',
            "AND",
            "OR OR",
            "déchets OR",
            "[* TO",
            "\\",
            "*",
            "d*",
            "*a*b*c*",
            "a~2^9",
            "/.*/",
            "{x}",
            "() OR ()",
            "+-!",
            '"" ""',
            "((((((",
            "eau AND (",
            "NOT",
            "\x00",
            "🚲",
        ],
    )
    def test_nothing_of_solrs_language_is_left(self, given: str) -> None:
        """Half-typed queries, wildcards in front, patterns and boosts are words or nothing."""
        text = words.read(given).text
        assert not set(text) & set("[]{}\\^~/:?")
        assert text.count('"') % 2 == 0
        assert text.count("(") == text.count(")")
        assert all(not word.startswith("*") and word != "d*" for word in text.split())

    @pytest.mark.parametrize("given", ["name:energie", "*:*", "+title:eau", "extras_x:1", "{!lucene}x"])
    def test_fields_of_the_index_are_solrs_own(self, given: str) -> None:
        """A query that names a field is left as it is, unless its reader may not do so."""
        assert words.read(given) == words.Words(given, (), fielded=True)
        assert not words.read(given, fields=False).fielded

    @pytest.mark.parametrize(
        "given", ["a" * 10_000, "mot " * 2_500, "( " * 5_000, '"' * 10_000, "x OR " * 2_000]
    )
    def test_long_queries_are_bounded(self, given: str) -> None:
        """Ten kilobytes are cut, told, and read in no time."""
        began = time.perf_counter()
        found = words.read(given)
        assert time.perf_counter() - began < 0.2
        assert len(found.plain) <= words.MOST_WORDS
        assert len(found.text) <= words.LONGEST + 10
        assert found.cut


class TestAsked:
    def test_an_address_round_trips(self) -> None:
        """What is shared is what was asked."""
        pairs = [
            ("q", "eau"),
            ("theme", "ENVI"),
            ("theme", "HEAL"),
            ("tags", "x"),
            ("ext_bbox", "5,49,6,50"),
            ("sort", "title"),
        ]
        assert asking.read(pairs).pairs() == pairs

    def test_links_of_core_are_understood(self) -> None:
        """Filters and orders of CKAN's own page lead to the same here."""
        asked = asking.read(
            [
                ("res_format", "csv"),
                ("license_id", "cc0-1.0"),
                ("sort", "title_string desc"),
                ("vocab_theme", "http://publications.europa.eu/resource/authority/data-theme/ENVI"),
            ]
        )
        assert asked.filters == {"format": ("CSV",), "licence": ("cc0-1.0",), "theme": ("ENVI",)}
        assert asked.sort == "title-desc"

    @pytest.mark.parametrize(
        "pair",
        [
            ("colour", "blue"),
            ("facet_theme:x", "y"),
            ("sort", "id; drop"),
            ("updated", "never"),
            ("bbox", "1,2,3"),
            ("bbox", "6,49,5,50"),
            ("bbox", "nan,nan,nan,nan"),
            ("bbox", "inf,0,1,1"),
            ("fq", "state:deleted"),
        ],
    )
    def test_what_is_unknown_is_told(self, pair: tuple[str, str]) -> None:
        """Unknown filters, orders and boxes change nothing and are named."""
        asked = asking.read([pair])
        assert asked.unknown
        assert asked.is_open
        assert asked.sort == ""

    @pytest.mark.parametrize(
        ("text", "page"), [("10" * 200, 10**12), ("0", 1), ("-3", 1), ("x", 1), ("²", 1), ("2", 2)]
    )
    def test_pages_are_numbers(self, text: str, page: int) -> None:
        """Any text is a page."""
        assert asking.read([("page", text)]).page == page

    def test_values_are_bounded(self) -> None:
        """A thousand values of a filter are twenty."""
        asked = asking.read([("organization", f"o{number}") for number in range(1000)])
        assert len(asked.filters["organization"]) == asking.MOST_VALUES


class TestThesaurus:
    @pytest.mark.parametrize(
        ("text", "language", "name"),
        [
            ("Tonnages de déchets", "de", "Müll"),
            ("Haushaltsabfälle", "lb", "Offall"),
            ("Arbres publics de Thil", "lb", "Beem"),
            ("Prêts de la bibliothèque d'Aumetz", "fr", "médiathèque"),
            ("Bushaltestellen", "fr", "arrêt de bus"),
        ],
    )
    def test_things_have_all_their_names(self, text: str, language: str, name: str) -> None:
        """A word in one language brings the names in the others, a plural and a compound included."""
        assert name in thesaurus.names_of([text])[language]

    def test_a_whole_name_is_not_taken_apart(self) -> None:
        """Household waste is no household's budget."""
        assert "Haushaltsplan" not in thesaurus.names_of(["Haushaltsabfall"])["de"]

    def test_every_concept_has_names_in_four_languages(self) -> None:
        """No language is left without words, and no two words of the file are truth values of YAML."""
        for concept in thesaurus.concepts():
            assert set(concept.names) == {"fr", "de", "en", "lb"}
            assert all(isinstance(name, str) and name for names in concept.names.values() for name in names)
        assert len(thesaurus.concepts()) >= 50


def test_a_feed_holds_no_character_that_xml_lacks() -> None:
    """Control characters of a harvested title do not break the feed."""
    entry = {
        "id": "1",
        "title": "a\x00b\x1f<script>",
        "summary": "",
        "author": "",
        "url": "https://x/",
        "updated": "nonsense",
    }
    text = feed.atom("t", {"self": "https://x/f", "alternate": "https://x/"}, [entry], "fr", "x").decode()
    assert "ab&lt;script&gt;" in text
    assert "1970-01-01T00:00:00+00:00" in text

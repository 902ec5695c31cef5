"""The catalogue: dataset rules, languages, search, pages, change log, operating it."""

"""Operating a portal: `doctor`, `rebuild`, `backup`, `restore`. For the command line only, never for a page.

Sentences for operators come in French and English (`text.Text`), chosen by `--lang`.
"""

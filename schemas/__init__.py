"""Metadata as data: dataset and organisation schemas, presets, code lists, licences (YAML)."""

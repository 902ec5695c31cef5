"""Formats: what a record means in our schema's words. One module each."""

"""Steps: small named changes on the way. One module each; a step imports only ``errors`` and ``model``."""

"""Sources: one module each. A source never imports a format."""

"""One folder a theme: templates, assets, public files."""

"""The catalogue's own RDF: profiles for ckanext-dcat, and vocabularies that the portal publishes."""

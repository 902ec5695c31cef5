"""The catalogue as RDF: what ckanext-dcat's profiles leave out, code lists as SKOS, the serializer."""

"""The catalogue as RDF: profiles for what ckanext-dcat leaves out, vocabularies as SKOS, the serializer."""

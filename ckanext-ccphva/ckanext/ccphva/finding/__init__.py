"""Search: what a reader types, asked of Solr and made into a page, suggestions or a feed.

    words → asking → engine → facets, cards, spelling → the actions of logic/finding.py → search_views.py

`ckanext/ccphva/search.py` holds what CKAN's own `package_search` shares with it: the document of a dataset
and the query in four languages. Nothing outside of `engine.py` speaks to Solr, and `engine.ask` adds who
may see what.
"""

"""The live gateway: `/live/<resource id>`, a process of its own that loads no CKAN.

    python -m ckanext.ccphva_datastore.gateway --port 5007

Rows come in (`push`), the newest rows and changes go out (`latest`, `events`). Who may do what is CKAN's
answer to every question of `gate`; rows enter by `ckanext.ccphva_datastore.feeds.writer`, like CKAN's own.
"""

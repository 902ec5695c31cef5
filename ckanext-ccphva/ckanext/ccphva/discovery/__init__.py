"""How the portal's datasets are found and told of elsewhere: citations, sitemaps, pictures for links.

`citation` and `picture` are pure; `sitemap` asks the search engine as somebody without an account.
"""

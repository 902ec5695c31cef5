"""Looking into a table: pages of rows, what its columns hold, figures by time and by category, a map.

`query` is what a reader asked, as an address bears it; `storage` speaks SQL, on the relation that this reader
sees; `presentation`, `page`, `usage` and `openapi` make what templates show; `views` are the addresses.
"""

"""Live resources: a table with a contract (key, time, freshness, retention), partitioned by month.

`contract`, `checks`, `reasons` and `writer` import nothing of CKAN: the gateway's process uses them too.
Whatever writes a row of a feed goes through `writer`: there is no second way in.
"""

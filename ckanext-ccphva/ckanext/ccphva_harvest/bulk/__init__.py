"""Many datasets at once: written, shown and indexed in a few statements a batch, and equal to CKAN's own way.

`package_create` reads a new dataset back four times and speaks some sixty times with the database; here a
batch is validated once, written by one statement a table, and indexed from what was written. What CKAN's
actions would have left (rows, activity, search document) is the same: `tests/portal/test_harvest_bulk.py`
compares the two.
"""

"""Files become tables and searchable text.

Two halves. The reading half (`faults`, `unwrap`, `texts`, `sheets`, `records`, `geodata`, `columns`,
`documents`,
`child`) imports nothing of CKAN: it runs in a process of its own with bounded memory and time (`bounded`),
so that
no file, however made, takes anything else down. The writing half (`loads`, `storage`, `files`, `versions`,
`model`)
runs in the portal's worker.
"""

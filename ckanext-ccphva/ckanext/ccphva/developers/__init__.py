"""What developers read: the portal's programming interface described for machines and people, with examples.

`docstrings` and `examples` are pure; `interface` asks the plugins for their actions.
"""

"""The journal: the durable, ordered list of events of one node, and everything folded from it.

The only package that imports sqlite3 and sqlite-utils. `Journal` (writer) is the one way in; `Readers` the way out.
"""

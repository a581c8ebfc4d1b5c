"""Standing here puts this folder on the import path: tests say `from support.journals import running_journal`."""

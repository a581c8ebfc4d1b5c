"""Flask pages and JSON of one node, one blueprint per area."""

"""The node: the core, the features' rules, the composition root and the command line."""

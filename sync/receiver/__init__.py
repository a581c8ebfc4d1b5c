"""The protocol's other end: the reference city scoring server, in a process of its own."""

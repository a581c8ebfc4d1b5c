"""The far ends of simulated wires: hands, plugs and panel firmware. Nothing here is used with real hardware."""

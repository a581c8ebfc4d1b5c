"""One module per kind of hardware. Only `devices.wires` imports a hardware library."""

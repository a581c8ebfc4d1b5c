"""The buses that carry devices, real and simulated: the only place that imports gpiozero and pyserial."""

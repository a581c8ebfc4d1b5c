"""The small core: journal, series, clock, bus, workers, health. It knows the centre and no hardware."""

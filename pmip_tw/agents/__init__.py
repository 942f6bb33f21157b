"""The loops: event, machine, effects, interfaces, next event."""

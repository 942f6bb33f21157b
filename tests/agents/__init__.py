"""Whole agents on twins: a fake clock, a network in memory, packet planes in memory."""

"""Frozen types of what is: no I/O, no clock, no decision."""

"""The loops: each takes a key from a queue and brings what it names closer to what is wanted."""

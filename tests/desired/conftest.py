"""No deadlines for single examples: the machine that runs the tests may be slow and shared."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

"""Running a plan: one executor per kind of step, sections that fail alone, and what came of it."""

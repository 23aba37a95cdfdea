"""A linked program as one flat transition system: nodes, visibility, steps, packed layout."""

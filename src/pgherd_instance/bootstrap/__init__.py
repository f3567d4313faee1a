"""Objects in the databases of a new cluster, and again after each promotion."""

"""From caches, Patroni and the catalogues to facts. Nothing here writes."""

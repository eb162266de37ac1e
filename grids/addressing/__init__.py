"""Standard addresses: taking texts apart, the registry, finding the place that a text names."""

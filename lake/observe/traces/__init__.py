"""From the spans that OpenSearch keeps to a tree that a person reads."""

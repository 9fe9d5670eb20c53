"""The newest figures of the shop's business, for Prometheus: declared, and computed once a publish."""

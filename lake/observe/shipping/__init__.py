"""From what the collector has read to what OpenSearch keeps."""

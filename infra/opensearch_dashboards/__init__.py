"""What OpenSearch Dashboards is given in compose: the saved searches, and a dashboard of the logs."""

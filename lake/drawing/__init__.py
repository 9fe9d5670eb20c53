"""Drawing: charts, and how values are written in them. For reports and for alerts."""

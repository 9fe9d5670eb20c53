"""How good answers are: judged queries (``judged``), measures (``measures``), and both together (``evaluate``)."""

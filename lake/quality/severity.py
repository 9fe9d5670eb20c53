"""How much a check weighs: one that blocks stops the publish, one that warns does not."""

BLOCK, WARN = "critical", "warning"

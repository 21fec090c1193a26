"""Working with alerts: how each stands, its source rows, and who is told."""

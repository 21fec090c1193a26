"""Reports in Markdown, and the ways a result leaves."""

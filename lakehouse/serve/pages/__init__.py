"""The page: what the house asks of its day, drawn. Every figure is a query that can be shown."""

"""SQL over the lake: the catalog, what may be asked, saved queries, the database file."""

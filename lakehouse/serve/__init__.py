"""What readers get: the SQL catalog, saved queries, the database file, generated documents."""

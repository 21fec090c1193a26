"""What each table and column is, in the terminal and in documents."""

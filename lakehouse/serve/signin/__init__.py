"""Who gets to see the page: users, what their roles open, sessions, and what is kept of it."""

"""One simulated casino: a plan of who plays what and when, and tables that elaborate it."""

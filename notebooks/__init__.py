"""Stories of gold, and how to tell them again."""

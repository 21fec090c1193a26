"""The marts: what the lake says of players, the floor and the law, by gaming day."""

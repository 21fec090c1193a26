"""The casino floor: visits, slots, tables, the cage, security and the loyalty system's book."""

"""Marts of the floor: players, machines, tables, the property."""

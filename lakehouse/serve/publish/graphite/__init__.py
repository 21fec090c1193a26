"""Figures as points of Graphite: names by one scheme, and a spool from which nothing is lost."""

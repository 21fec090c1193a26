"""Alerts and what they rest on."""

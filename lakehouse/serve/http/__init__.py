"""The way in and out over HTTP: events, live views, generated files."""

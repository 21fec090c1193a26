"""Rules of detection, a module a family. Each is declared at its function; found, not listed."""

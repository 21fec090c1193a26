"""Spares every start a quarter of a second: dataframely looks for SQLAlchemy when it is
imported, for an export that nothing here uses. To be imported before dataframely is."""

import sys

if "sqlalchemy" not in sys.modules and "dataframely" not in sys.modules:
    sys.modules["sqlalchemy"] = None  # type: ignore[assignment]
    try:
        import dataframely  # noqa: F401
    finally:
        del sys.modules["sqlalchemy"]

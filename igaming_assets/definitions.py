"""The code location, as Dagster finds it."""

from igaming_assets.assembly import assemble
from lakehouse.settings import load_settings

defs = assemble(load_settings())

"""The code location, as Dagster finds it."""

from lakehouse.collector import lasting

with lasting():
    from igaming_assets.assembly import assemble
    from lakehouse.settings import load_settings

    defs = assemble(load_settings())

"""Proposes a mapping for a foreign file, from its header and a sample of its rows."""

from lakehouse.ingest.files.inference.known import known_values
from lakehouse.ingest.files.inference.proposal import Proposal, infer

__all__ = ["Proposal", "infer", "known_values"]

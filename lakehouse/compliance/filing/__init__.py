"""Forms for FinCEN: who files, whose identity, which form, the batch and its acknowledgement.

The only place where full identifiers and obligations meet.
"""

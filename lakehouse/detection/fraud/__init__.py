"""Fraud in the shop: measures of each order, rules, profiles of thresholds, a learned score.

`orders → measured → judged → alerted`, each a pure function of frames. What is remembered of each
user goes in and comes out with the orders, so that a day at once and the same day in any batches
say the same.
"""

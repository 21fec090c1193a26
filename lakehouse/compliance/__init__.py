"""The compliance office's own work: review cases, filing, the access log, scenarios of the law."""

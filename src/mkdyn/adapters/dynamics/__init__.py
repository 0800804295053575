"""Dynamics 365 over its Web API.

Read in this order: `table` is what the connector knows of a table, `metadata` how it is told;
`odata` and `values` are names, literals and values on the wire; `requests` and `responses` are
every question and answer, `batch` many of them in one, `writes` what a write becomes; `codes`
is the table of errors, `refusals` what they come to. None of these sends anything.
"""

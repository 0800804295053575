"""Adobe's description of Marketo's API, and what is wrong with it."""

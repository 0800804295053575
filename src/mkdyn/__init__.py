"""Keep Marketo Engage and Dynamics 365 in agreement, field by field."""

"""OData's filters: what they say, how they are read, and which rows they are true of."""

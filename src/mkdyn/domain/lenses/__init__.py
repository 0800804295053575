"""Lenses: how one field's values look in the other system.

Read `lens` first, then `matrix`: which lens stands between which two types.
"""

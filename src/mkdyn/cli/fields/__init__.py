"""`mkdyn fields`: see and choose which fields sync; for now on the demo's systems."""

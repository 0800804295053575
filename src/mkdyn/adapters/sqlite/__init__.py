"""The memory of a sync in one SQLite file, readable by its owner only.

Read in this order: `schema` says what is kept, `files` how the file is opened and locked, `database` how
it is asked, `columns` how a value becomes a column; `feeds`, `links`, `fields`, `journal` and `findings`
are the store's methods, a group of tables each; `store` puts them together.
"""

from mkdyn.adapters.sqlite.store import SqliteStore as SqliteStore

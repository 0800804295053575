"""How a run goes: gather → settle → reconcile → guard → apply → commit.

Read `synchronizer` first: its `run()` is the summary of all the rest. `session` holds what one
run works with; the phases are modules of their own, in the order above.
"""

"""The pages of the reference that the code can check, and what makes their tables: `python -m tests.reference`."""

"""An independent reader that compares MySQL with MongoDB row for row.

It imports nothing of the services: MySQL renders its rows as text, the reader renders the documents by
docs/contracts.md (D1 to D9), and both must say the same. So a mistake in the services' mapping cannot hide in it.
"""

"""Sabotages of the CDC, each of which a named test has to notice: what the tests are worth.

`catalogue` lists them, `python -m mutants` (`make mutants`) tries them on a copy of the code.
"""

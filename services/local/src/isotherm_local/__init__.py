"""Runs the whole of Isotherm on one machine, without containers.

- `discovery`, `debian_packages`: what the machine has, and MySQL where it has none (standard library only: the
  bootstrap uses them before anything is installed)
- `backends`: MySQL and MongoDB as private servers; `databases` starts the two
- `process`, `restart`, `supervisor`: processes that start, stay up and stop together
- `stack`: which processes make Isotherm, and with which settings
- `options`, `source`, `ports`, `secrets`, `lock`: what is decided before anything starts
- `progress`, `terminal`: what the person at the terminal sees

The integration tests start the same parts one by one.
"""

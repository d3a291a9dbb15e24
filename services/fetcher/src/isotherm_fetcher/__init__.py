"""Open-Meteo to MySQL: one run fetches what the quota allows, the stalest locations first.

Pure modules, in the order of the data:

- `regions`: which locations there should be
- `locations`: how the table of locations becomes equal to them
- `quota`: what a request costs and what is left of each window
- `planner`: which locations a run fetches, in which parts
- `query`: how weather is asked for
- `parse`: what an answer means, or why it cannot be used
- `rows`: what is stored
- `progress`: what a run did so far

Adapters: `open_meteo` (HTTP), `mysql` (connection and lock), `store` (tables), `runs` (the table of runs),
`retention`. Around them: `run` (one run), `watch` (run after run), `metrics` and `exporter` (Prometheus), `__main__`.
"""

from importlib.metadata import version

__version__ = version("isotherm-fetcher")

"""An Open-Meteo-compatible server with plausible weather and faults on demand.

In the order in which a request passes through:

- `wire`: the header on every answer
- `app` and `control`: HTTP in and out
- `query`: parameters, checked as Open-Meteo checks them (pure)
- `quota`: weights, windows and concurrency (pure)
- `faults`: what goes wrong on purpose (pure)
- `answer`: the JSON (pure), with `units` and `variables`
- `grid`: the model's cells (pure)
- `weather`: real weather set in motion (pure), from `fields`
"""

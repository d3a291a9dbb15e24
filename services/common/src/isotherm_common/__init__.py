"""What every Isotherm service needs, and nothing more.

- `settings`: frozen dataclasses filled from the environment, every mistake reported at once
- `logging`: structlog, as JSON lines or for a console
- `observability`: one HTTP server for metrics and health, away from the public port
- `retry`: exponential backoff with jitter that a shutdown interrupts
- `shutdown`: SIGTERM and SIGINT as an event to wait on
- `schema_gate`: waiting for the database schema that a service needs
- `process`: exit codes and the one way a service starts and ends
"""

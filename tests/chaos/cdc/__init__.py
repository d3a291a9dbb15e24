"""The CDC under fire: a random workload, a reader that is killed again and again, and checks that never stop.

- `workload`: changes the source, in ways that keep one sum.
- `reader`: the real reader in a process that kills itself at a named point (`failpoints`).
- `cdc_support.relay`: between reader and servers; loses acknowledgements and cuts connections.
- `faults`: what else is done to the servers.
- `observer`: follows the change stream; `clients`: read snapshots, resume as browsers would.
- `run`: all of it together.
"""

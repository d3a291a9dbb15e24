"""Change data capture: MySQL's binary log to MongoDB, effectively once.

The modules in the order of the data: `source`, `events`, `transactions`, `table_map`, `decode`, `mapping`, `pipeline`,
`documents`, `sink`. Beside it: `checkpoint`, `gtid`, `snapshot`, `ddl`, `preflight`, and `engine`, which runs them.
"""

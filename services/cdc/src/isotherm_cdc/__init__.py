"""Change data capture: MySQL's binary log to MongoDB, effectively once.

The packages in the order of the data: `binlog`, `values`, `pipeline`, `sink`. Beside them: `checkpoint`, `gtid`,
`preflight`, `snapshot`, and `engine`, which runs them.
"""

"""Prepares the databases: the MySQL schema and users, the MongoDB replica set, users and indexes.

- `migrations`: the numbered .sql files, their checksums and what is still to be applied (pure)
- `sql`: names and strings as SQL (pure)
- `users`: least privilege for each service's MySQL user, what to grant and what to revoke (pure)
- `prerequisites`: what a MySQL server must be like (pure)
- `mysql`: the connection and the lock
- `migrate`: the command `isotherm-migrate`
- `replica_set`: the next step towards the replica set that is wanted (pure)
- `mongo`: MongoDB's side of it
- `mongo_init`: the command `isotherm-mongo-init`
"""

"""MySQL and MongoDB as private servers, each to be had in three ways.

- `choice`: which ways there are on this machine, the preferred one first (pure)
- `server`: what a running database is to the rest: how to reach it, and its process
- `mysql_native`: MySQL from a `mysqld` on PATH or unpacked from Debian's packages
- `mongodb_native`: MongoDB from a `mongod` on PATH
- `secantus`, `secantus_server`: SecantusDB, which speaks MongoDB's protocol, and the process that runs it
- `docker`: both from Docker images
"""

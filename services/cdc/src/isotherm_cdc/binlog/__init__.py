"""MySQL's binary log: from the socket to transactions of rows."""

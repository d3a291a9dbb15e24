"""The dashboard of MySQL and MongoDB, as the exporters beside them see them (`mysql.exporter`, `mongodb.exporter`)."""

from __future__ import annotations

from panels import Query, Row, build, by, chosen, lines, number, rate

_CURRENT = 'conn_type="current"'


def databases() -> str:
    """Return the dashboard."""
    healthy: Row = (
        "Is it healthy?",
        [
            number("MySQL answers", "1 when the exporter can log in.", "none", f"min({chosen('mysql_up')})"),
            number(
                "Connections of MySQL",
                "Of those that it allows.",
                "percentunit",
                f"max({chosen('mysql_global_status_threads_connected')} / {chosen('mysql_global_variables_max_connections')})",
            ),
            number(
                "Binary log",
                "What MySQL keeps of its binary log: it has to reach back longer than the CDC's longest outage.",
                "bytes",
                f"max({chosen('mysql_binlog_size_bytes')})",
            ),
            number("MongoDB answers", "1 when the exporter can log in.", "none", f"min({chosen('mongodb_up')})"),
            number(
                "Connections of MongoDB",
                "Open now, of the member with the most.",
                "none",
                f"max({chosen('mongodb_ss_connections', _CURRENT)})",
            ),
            number(
                "Cache of MongoDB",
                "How full WiredTiger's cache is; it evicts from 80 % on.",
                "percentunit",
                f"max({chosen('mongodb_ss_wt_cache_bytes_currently_in_the_cache')} / "
                f"{chosen('mongodb_ss_wt_cache_maximum_bytes_configured')})",
            ),
        ],
        False,
    )
    mysql: Row = (
        "MySQL",
        [
            lines(
                "Statements",
                "All of them, and those slower than long_query_time, per second.",
                "ops",
                Query(by("", rate("mysql_global_status_queries")), "all"),
                Query(by("", rate("mysql_global_status_slow_queries")), "slow"),
            ),
            lines(
                "Rows",
                "Read, inserted, updated and deleted in InnoDB, per second.",
                "ops",
                Query(by("operation", rate("mysql_global_status_innodb_row_ops_total")), "{{operation}}"),
            ),
            lines(
                "Reads from disk",
                "Of all reads of pages; a rise means that the buffer pool is too small.",
                "percentunit",
                Query(
                    f"{by('', rate('mysql_global_status_innodb_buffer_pool_reads'))} / "
                    f"{by('', rate('mysql_global_status_innodb_buffer_pool_read_requests'))}",
                    "from disk",
                ),
            ),
            lines(
                "Threads",
                "Connected, and at work.",
                "none",
                Query(chosen("mysql_global_status_threads_connected"), "{{instance}} connected"),
                Query(chosen("mysql_global_status_threads_running"), "{{instance}} at work"),
            ),
            lines(
                "Binary log's size",
                "All files together; it falls when old files are purged.",
                "bytes",
                Query(chosen("mysql_binlog_size_bytes")),
            ),
            lines(
                "Waits for row locks",
                "Seconds that statements waited for locks of rows, per second.",
                "s",
                Query(f"{by('', rate('mysql_global_status_innodb_row_lock_time'))} / 1000", "waited"),
            ),
        ],
        False,
    )
    mongodb: Row = (
        "MongoDB",
        [
            lines(
                "Operations",
                "By kind, per second.",
                "ops",
                Query(by("legacy_op_type", rate("mongodb_ss_opcounters")), "{{legacy_op_type}}"),
            ),
            lines(
                "Cache",
                "Bytes in WiredTiger's cache, and how many there may be.",
                "bytes",
                Query(chosen("mongodb_ss_wt_cache_bytes_currently_in_the_cache"), "{{instance}} in it"),
                Query(chosen("mongodb_ss_wt_cache_maximum_bytes_configured"), "{{instance}} at most"),
            ),
            lines(
                "Members",
                "Each member's state as each sees it: 1 primary, 2 secondary.",
                "none",
                Query(f"max by (member_idx) ({chosen('mongodb_rs_members_state')})", "{{member_idx}}"),
            ),
        ],
        False,
    )
    return build(
        "isotherm-databases",
        "Isotherm / Databases",
        "MySQL and MongoDB from inside; empty unless the exporters beside them are on.",
        '{__name__=~"mysql_up|mongodb_up"}',
        [healthy, mysql, mongodb],
    )

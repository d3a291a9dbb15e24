"""One half of `helm test`: changes a row of MySQL, by a microsecond of its age, until the other half has seen it."""

import os
import pathlib
import sys
import time

import pymysql

location_file, seen_file = pathlib.Path("/exchange/location"), pathlib.Path("/exchange/seen")
deadline = time.monotonic() + 240
problem = "nothing was tried"
authority = os.environ.get("MYSQL_SSL_CA")
while time.monotonic() < deadline:
    try:
        connection = pymysql.connect(
            host=os.environ["MYSQL_HOST"],
            port=int(os.environ["MYSQL_PORT"]),
            user=os.environ["MYSQL_USER"],
            password=pathlib.Path(os.environ["MYSQL_PASSWORD_FILE"]).read_text(encoding="utf-8").rstrip("\r\n"),
            database=os.environ["MYSQL_DATABASE"],
            autocommit=True,
            connect_timeout=5,
            ssl_ca=authority,
            ssl_verify_cert=authority is not None,
            ssl_verify_identity=authority is not None,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT location_id FROM weather_data JOIN locations ON id = location_id WHERE active ORDER BY 1 LIMIT 1"
            )
            row = cursor.fetchone()
            if row is None:
                problem = "weather_data is empty: the fetcher has stored nothing yet"
            else:
                location_file.write_text(str(row[0]), encoding="utf-8")
                cursor.execute(
                    "UPDATE weather_data SET fetched_at = fetched_at + INTERVAL 1 MICROSECOND WHERE location_id = %s",
                    row,
                )
                problem = f"location {row[0]} was changed in MySQL, but no browser was told"
    except pymysql.MySQLError as error:
        problem = f"MySQL: {error}"
    if seen_file.exists():
        print("MySQL: changed", location_file.read_text(encoding="utf-8"))
        sys.exit(0)
    time.sleep(1)
sys.exit(problem)

"""What the services' databases hold, as one sum per table, to show that nothing was written."""

import os
import subprocess

DATABASES = ("web_api", "upload", "notification", "mailing_list_sync")
# What moves without a request that was taken: positions, the tests' own sign-ins, and the count of
# wrong passwords, which is there to be counted.
MOVES = ("inbox_watermark", "inbox_seen", "outbox_progress", "session", "login_attempt", "schema_")
TABLES = (
    "select relname from pg_class where relnamespace = 'public'::regnamespace"
    " and relkind in ('r', 'p') and not relispartition order by 1"
)


def query(suite, database, sql):
    """Rows as lists of texts."""
    secret = (suite.state / "secrets" / "postgres-postgres").read_text()
    command = ["psql", "-X", "-q", "-t", "-A", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql]
    where = ["-h", "127.0.0.1", "-p", str(suite.port_base + 60), "-U", "postgres", "-d", database]
    done = subprocess.run(
        [*command, *where],
        env={**os.environ, "PGPASSWORD": secret},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def contents(suite):
    """{database.table: sum of its rows}."""
    sums = {}
    for database in DATABASES:
        tables = [row[0] for row in query(suite, database, TABLES)]
        parts = [
            f"select '{table}', count(*) || ' rows ' ||"
            f" md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) from {table} t"
            for table in tables
            if not table.startswith(MOVES)
        ]
        for table, total in query(suite, database, " union all ".join(parts)):
            sums[f"{database}.{table}"] = total
    return sums


def changes(before, after):
    return sorted(f"{name}: {after.get(name)}" for name in after if before.get(name) != after[name])

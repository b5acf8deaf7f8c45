"""Reads the archive as anybody would: the files, and nothing of Headwater. Prints what the test compares."""

import json
import sys

import duckdb

EVENTS = "SELECT DISTINCT ON (category, id, version) * FROM read_parquet(?, hive_partitioning = true)"
AMOUNT = "CAST(data ->> '$.amount' AS BIGINT)"

files, account = sys.argv[1:]
database = duckdb.connect()
accounts = database.execute(
    f"""SELECT id,
               sum(CASE type WHEN 'Deposited' THEN {AMOUNT} WHEN 'Withdrawn' THEN -{AMOUNT} ELSE 0 END),
               count(*) FILTER (WHERE type IN ('Deposited', 'Withdrawn')),
               max(version), count(*)
        FROM ({EVENTS}) WHERE category = 'account' GROUP BY id""",
    [files],
).fetchall()
rows = database.execute(
    f"""SELECT version, type, schema, data, metadata, epoch_us(recorded_at), commit_id, commit_index
        FROM ({EVENTS}) WHERE category = 'account' AND id = ? ORDER BY version""",
    [files, account],
).fetchall()
# Every event lies in the folder of its day or, when it came late, in that of a later one.
misplaced = database.execute(
    "SELECT count(*) FROM read_parquet(?, hive_partitioning = true) WHERE CAST(recorded_at AS DATE) > dt", [files]
).fetchall()
print(json.dumps({
    "accounts": {id: [int(total), count, last, events] for id, total, count, last, events in accounts},
    "rows": rows,
    "misplaced": misplaced[0][0],
}))

"""Asks DuckDB what the checks ask of the same recording.

    questions.py FOLDER THREADS

Prints one line per answer: code, name of the cluster or service, number of the epoch. One pass over
the lines extracts all that is needed; of several ways to say so (typed columns, two passes, views)
this was the fastest.
"""

import glob
import os
import sys

import duckdb

folder, threads = sys.argv[1], int(sys.argv[2])
epochs = {os.path.basename(path): at for at, path in enumerate(sorted(glob.glob(f"{folder}/*.zst")))}
db = duckdb.connect()
db.execute(f"SET threads = {threads}")
db.execute(f"""
    CREATE TEMP TABLE replies AS
    SELECT filename AS epoch, said[1] AS endpoint, said[2] AS account,
           coalesce(said[3], said[4]) AS subject, coalesce(said[5], said[6]) AS version
    FROM (
        SELECT filename, json_extract_string(json, [
            '$.reply.endpoint', '$.reply.account',
            '$.reply.body.server.cluster', '$.reply.body.name',
            '$.reply.body.server.ver', '$.reply.body.version']) AS said
        FROM read_ndjson_objects('{folder}/*.zst', compression = 'zstd', filename = true,
                                 maximum_object_size = 67108864))
    WHERE endpoint IS NOT NULL
""")
mixed = """
    SELECT '{code}', subject, epoch FROM replies WHERE {which}
    GROUP BY account, subject, epoch HAVING count(DISTINCT version) > 1
"""
down = """
    WITH answers AS (
        SELECT DISTINCT account, subject, epoch FROM replies WHERE endpoint LIKE 'SRV_%'),
    first AS (SELECT account, subject, min(epoch) AS epoch FROM answers GROUP BY account, subject),
    every AS (SELECT DISTINCT epoch FROM replies)
    SELECT 'SERVICE_002', first.subject, every.epoch FROM first, every
    WHERE every.epoch > first.epoch AND NOT EXISTS (
        SELECT 1 FROM answers
        WHERE answers.account = first.account AND answers.subject = first.subject
          AND answers.epoch = every.epoch)
"""
for query in [
    mixed.format(code="SERVER_002", which="endpoint IN ('VARZ', 'STATSZ')"),
    mixed.format(code="SERVICE_001", which="endpoint LIKE 'SRV_%'"),
    down,
]:
    for code, subject, path in db.execute(query).fetchall():
        print(code, subject, epochs[os.path.basename(path)])

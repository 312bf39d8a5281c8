-- The number of rows of every table, as one JSON object: {"public.team" : 2, ...}.
SELECT coalesce(
    'SELECT json_object_agg(name, rows ORDER BY name) FROM ('
        || string_agg(
            format('SELECT %L AS name, count(*) AS rows FROM %I.%I', nspname || '.' || relname, nspname, relname),
            ' UNION ALL '
        )
        || ') AS counted',
    'SELECT ''{}'''
)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND relpersistence <> 't'
    AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema' \gexec

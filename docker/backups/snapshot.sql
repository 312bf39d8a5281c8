-- One snapshot for what is dumped and what is counted, written to :folder.
-- The dump may take long, in which this session only keeps the snapshot.
SET idle_in_transaction_session_timeout = 0;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \gset
\setenv SNAPSHOT :snapshot
\setenv FOLDER :folder

\o :folder/tables
\ir table-rows.sql
\o :folder/server_version
SELECT split_part(current_setting('server_version'), ' ', 1);
\o :folder/revision
SELECT to_regclass('public.alembic_version') IS NOT NULL AS migrated \gset
\if :migrated
    SELECT string_agg(version_num, ',' ORDER BY version_num) FROM public.alembic_version;
\endif
\o

\! pg_dump --format=custom --snapshot="$SNAPSHOT" --lock-wait-timeout=60s --file="$FOLDER/database.dump" && touch "$FOLDER/dumped"
COMMIT;

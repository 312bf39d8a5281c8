-- The role of the backups: reads everything. Each statement on one line, as single-user mode reads them; may run again.
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'devportal_backup') THEN CREATE ROLE devportal_backup LOGIN; END IF; END $$;
ALTER ROLE devportal_backup SET default_transaction_read_only = on;
GRANT pg_read_all_data TO devportal_backup;
GRANT CONNECT ON DATABASE devportal TO devportal_backup;

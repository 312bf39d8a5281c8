-- Runs once, on an empty volume, as superuser in the portal's database; tables come with Alembic.

-- Three statements carry passwords: no part of them may reach the server's log.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;

\set migrator_password `cat /run/secrets/migrator_password`
\set app_password `cat /run/secrets/app_password`
\set backup_password `cat /run/secrets/backup_password`

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "pgcrypto";

-- Owns the schema; used by migrations alone.
CREATE ROLE devportal_migrator LOGIN PASSWORD :'migrator_password';
-- Reads and writes rows; may not change the schema.
CREATE ROLE devportal_user LOGIN PASSWORD :'app_password';
ALTER ROLE devportal_user SET statement_timeout = '30s';

ALTER DATABASE :"DBNAME" OWNER TO devportal_migrator;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO devportal_user;

\i /etc/postgresql/backup-role.sql
ALTER ROLE devportal_backup PASSWORD :'backup_password';

ALTER SCHEMA public OWNER TO devportal_migrator;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO devportal_user;

ALTER DEFAULT PRIVILEGES FOR ROLE devportal_migrator IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO devportal_user;
ALTER DEFAULT PRIVILEGES FOR ROLE devportal_migrator IN SCHEMA public
    GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO devportal_user;

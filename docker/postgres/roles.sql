-- The portal's roles and their rights, in its database; without passwords, may run again. Run as the
-- superuser of the stack's own server, or as a role that may create roles and databases elsewhere.

CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "pgcrypto";

-- Owns the schema; used by migrations alone.
SELECT 'CREATE ROLE devportal_migrator LOGIN'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'devportal_migrator') \gexec
-- Reads and writes rows; may not change the schema.
SELECT 'CREATE ROLE devportal_user LOGIN'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'devportal_user') \gexec
ALTER ROLE devportal_user SET statement_timeout = '30s';
\i /etc/postgresql/backup-role.sql

-- A superuser may act for every role; another one for those that it is a member of.
SELECT format('GRANT devportal_migrator, devportal_user, devportal_backup TO %I', rolname)
    FROM pg_roles WHERE rolname = current_user AND NOT rolsuper \gexec

ALTER DATABASE :"DBNAME" OWNER TO devportal_migrator;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO devportal_user;

ALTER SCHEMA public OWNER TO devportal_migrator;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO devportal_user;

ALTER DEFAULT PRIVILEGES FOR ROLE devportal_migrator IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO devportal_user;
ALTER DEFAULT PRIVILEGES FOR ROLE devportal_migrator IN SCHEMA public
    GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO devportal_user;

-- Runs once, on an empty volume, as superuser in the portal's database; tables come with Alembic.

-- Three statements carry passwords: no part of them may reach the server's log.
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;

\set migrator_password `cat /run/secrets/migrator_password`
\set app_password `cat /run/secrets/app_password`
\set backup_password `cat /run/secrets/backup_password`

\i /etc/postgresql/roles.sql
ALTER ROLE devportal_migrator PASSWORD :'migrator_password';
ALTER ROLE devportal_user PASSWORD :'app_password';
ALTER ROLE devportal_backup PASSWORD :'backup_password';

<?php
// Adminer whose login form is filled in: one click opens the portal's database.

// A web page may point a name of its own at this machine (DNS rebinding), so names are refused.
$host = preg_replace('/:\d*$/', '', strtolower($_SERVER['HTTP_HOST'] ?? ''));
if ($host !== 'localhost' && !filter_var(trim($host, '[]'), FILTER_VALIDATE_IP)) {
    http_response_code(421);
    exit("host: should be localhost or an address. Open Adminer by one of them.\n");
}

function adminer_object()
{
    /** Fills what is empty in the login form; what the user or a link gave stays. */
    final class PortalAdminer extends Adminer
    {
        private const PASSWORD_FILE = '/run/secrets/app_password';

        public function loginFormField($name, $heading, $value)
        {
            switch ($name) {
                case 'driver':
                    return $heading . $this->choose($value, 'pgsql');
                case 'server':
                    return $heading . $this->fill($value, getenv('ADMINER_DEFAULT_SERVER'));
                case 'username':
                    return $heading . $this->fill($value, 'devportal_user');
                case 'password':
                    $field = str_replace('<input ', '<input value="" ', $value);
                    return $heading . $this->fill($field, $this->password());
                case 'db':
                    return $heading . $this->fill($value, 'devportal');
            }
            return $heading . $value;
        }

        private function password()
        {
            return is_readable(self::PASSWORD_FILE)
                ? rtrim(file_get_contents(self::PASSWORD_FILE), "\n")
                : '';
        }

        private function fill($field, $text)
        {
            return str_replace('value=""', 'value="' . htmlspecialchars($text) . '"', $field);
        }

        private function choose($select, $option)
        {
            $unchosen = preg_replace('/ selected(="")?/', '', $select);
            return str_replace("value=\"$option\"", "value=\"$option\" selected", $unchosen);
        }
    }

    return new PortalAdminer();
}

require __DIR__ . '/adminer.php';

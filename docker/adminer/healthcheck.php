#!/usr/bin/env php
<?php
// Ends with 0 if the login page is served.
$context = stream_context_create(['http' => ['timeout' => 4]]);
$page = @file_get_contents('http://127.0.0.1:8080/', false, $context);
exit($page !== false && strpos($page, 'auth[username]') !== false ? 0 : 1);

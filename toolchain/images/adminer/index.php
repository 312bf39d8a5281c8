<?php
// Adminer with the plugins of plugins-enabled/: each file there returns one plugin object.

/** Fills in the server that ADMINER_DEFAULT_SERVER names. */
final class DefaultServer
{
    public function loginFormField($name, $heading, $value)
    {
        $server = getenv('ADMINER_DEFAULT_SERVER');
        if ($name !== 'server' || $server === false) {
            return null;
        }
        $filled = 'value="' . htmlspecialchars($server) . '"';
        return $heading . str_replace('value=""', $filled, $value) . "\n";
    }
}

function adminer_object()
{
    require_once __DIR__ . '/plugins/plugin.php';
    $plugins = [new DefaultServer()];
    foreach (glob(__DIR__ . '/plugins-enabled/*.php') as $file) {
        $plugins[] = require $file;
    }
    return new AdminerPlugin($plugins);
}

require __DIR__ . '/adminer.php';

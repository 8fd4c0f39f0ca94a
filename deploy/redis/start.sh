#!/bin/sh
# Starts one Redis, configured on its standard input.
. /etc/redis/users.sh

exec redis-server - <<CONFIGURATION
$settings
$users
CONFIGURATION

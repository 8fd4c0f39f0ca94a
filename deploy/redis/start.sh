#!/bin/sh
# Starts Redis with one user for each service: its own password, its own keys, no administration. Nobody else gets in, so
# a tool that reads the credentials of mcp-server still can't read what auth-server keeps.
# The passwords are secrets, /run/secrets/redis-<user>; Redis is told their hashes, on its standard input.
set -eu

hash() {
  [ -s "/run/secrets/$1" ] || { echo "redis: the secret $1 is missing or empty" >&2; exit 1; }
  printf %s "$(cat "/run/secrets/$1")" | sha256sum | cut -c 1-64
}
auth_server=$(hash redis-auth-server)
mcp_server=$(hash redis-mcp-server)

exec redis-server - <<CONFIGURATION
dir /data
appendonly yes
# What a crash of the machine may lose; a crash of Redis alone loses nothing.
appendfsync everysec
save ""
# A record that is dropped to make room would be a person signed out, or a spent code that is good again.
maxmemory-policy noeviction
user default off
user health on nopass resetkeys resetchannels -@all +ping
user auth-server on #$auth_server ~as:* &as:* +@all -@admin -@dangerous +info +role
user mcp-server on #$mcp_server ~mcp:* &mcp:* +@all -@admin -@dangerous +info +role
CONFIGURATION

#!/bin/sh
# Starts a Redis that Sentinel watches: replicated.sh <own host name> <host name of the first primary>.
# Later Sentinel decides which node is the primary. It writes that into the configuration, which survives a restart: an old primary
# that came back as a primary would overwrite all newer data.
. /etc/redis/users.sh

role="replicaof $2 6379"
[ "$1" != "$2" ] || role=
[ ! -e /data/redis.conf ] || role=$(grep '^replicaof ' /data/redis.conf || true)

cat >/data/redis.conf.new <<CONFIGURATION
$settings
$users
user node on #$(hash "$node_password") resetkeys allchannels -@all +ping +psync +replconf +info +role +multi +exec +slaveof +config|rewrite +subscribe +publish +client|setname +client|kill +script|kill
$replication
replica-announce-ip $1
$role
CONFIGURATION
mv /data/redis.conf.new /data/redis.conf
exec redis-server /data/redis.conf

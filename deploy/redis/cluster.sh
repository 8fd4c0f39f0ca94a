#!/bin/sh
# Starts a node of the Cluster redis-1 … redis-6: cluster.sh <number>. The first three start as primaries with a third of the slots
# each, the others as replicas of one of them. Later the nodes change roles by themselves.
. /etc/redis/users.sh
number=$1

node() { REDISCLI_AUTH=$node_password redis-cli --user node "$@"; }
address() { getent hosts "$1" | cut -d ' ' -f 1; }

is_nothing_yet() { node cluster nodes | grep -q 'myself,master .* connected$'; }

# Addresses change when containers are recreated, so a node that starts contacts the others: a node that is contacted by a known
# node stores its new address. Slots that another node owns are refused.
join() {
  until [ "$(node ping)" = PONG ]; do sleep 0.2; done
  if [ "$number" -le 3 ] && is_nothing_yet; then
    node cluster addslotsrange $(((number - 1) * 16384 / 3)) $((number * 16384 / 3 - 1))
  fi
  for other in 1 2 3 4 5 6; do
    [ "$other" = "$number" ] || node cluster meet "$(address "redis-$other")" 6379
  done
  while [ "$number" -gt 3 ] && is_nothing_yet; do
    primary=$(node cluster nodes | grep -F ",redis-$((number - 3)) master " | cut -d ' ' -f 1)
    node cluster replicate "$primary"
    sleep 0.2
  done
}
(set +e; join) >/dev/null 2>&1 &

exec redis-server - <<CONFIGURATION
$settings
$users
user node on #$(hash "$node_password") resetkeys resetchannels -@all +ping +psync +replconf +cluster
$replication
cluster-enabled yes
cluster-config-file nodes.conf
cluster-node-timeout 3000
cluster-announce-hostname redis-$number
cluster-preferred-endpoint-type hostname
CONFIGURATION

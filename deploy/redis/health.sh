#!/bin/sh
# A Redis is healthy if it answers and, as a replica, has a copy of its primary. With `cluster`, every slot must have an owner, and
# this node must have a role. With `sentinel`, it must know a replica for a failover and the two other Sentinels. So a healthy
# deployment survives the loss of one node.
ask() { redis-cli --user health --pass none --no-auth-warning "$@"; }

case "${1:-}" in
  sentinel)
    redis-cli -p 26379 info sentinel | grep -q 'slaves=[1-9][0-9]*,sentinels=3'
    exit
    ;;
  cluster)
    ask cluster info | grep -q cluster_state:ok || exit 1
    # A primary without slots has not become a replica yet.
    ask cluster nodes | grep myself | grep -qv 'master .* connected$' || exit 1
    ;;
esac
[ "$(ask ping)" = PONG ] || exit 1
! ask info replication | grep -q master_link_status:down

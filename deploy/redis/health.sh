#!/bin/sh
# Healthy is a Redis that answers and has a copy of its primary where it is a replica; with `cluster` one whose Cluster has an owner
# for every key, and that has a part in it; with `sentinel` one that knows whom to put in the primary's place, and the two others
# that have to agree. What is up is what can stand a loss.
ask() { redis-cli --user health --pass none --no-auth-warning "$@"; }

case "${1:-}" in
  sentinel)
    redis-cli -p 26379 info sentinel | grep -q 'slaves=[1-9][0-9]*,sentinels=3'
    exit
    ;;
  cluster)
    ask cluster info | grep -q cluster_state:ok || exit 1
    # A primary without slots has yet to become a replica.
    ask cluster nodes | grep myself | grep -qv 'master .* connected$' || exit 1
    ;;
esac
[ "$(ask ping)" = PONG ] || exit 1
! ask info replication | grep -q master_link_status:down

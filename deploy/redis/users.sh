# Sourced by the scripts beside it. The users of Redis: one for each service with its own password, its own keys and no
# administration, so a tool that reads the credentials of mcp-server still can't read what auth-server keeps.
# The passwords are secrets, /run/secrets/redis-<user>; Redis is told their hashes.
# shellcheck shell=sh
set -eu
umask 077

hash() { printf %s "$1" | sha256sum | cut -c 1-64; }

# Keys bound what a command may touch, but not those that tell names of keys and channels, or that act on what all users share.
rights='+@all -@admin -@dangerous +info +role -@scripting +eval +evalsha -scan -randomkey -dbsize -select -move'
rights="$rights -pubsub +pubsub|numsub -client +client|setname +client|setinfo"

# Nobody can be the user `default`. But the log of changes is read as that user at a start, and may hold anything.
users='user default off allkeys allchannels allcommands
user health on nopass resetkeys resetchannels -@all +ping +info +cluster|info +cluster|nodes'
passwords=
for user in ${REDIS_USERS:-auth-server mcp-server}; do
  secret=redis-$user
  [ -s "/run/secrets/$secret" ] || { echo "redis: the secret $secret is missing or empty" >&2; exit 1; }
  password=$(cat "/run/secrets/$secret")
  case $user in
    auth-server) prefix=as ;;
    mcp-server) prefix=mcp ;;
    *) echo "redis: no user is called $user" >&2; exit 1 ;;
  esac
  case "$passwords " in
    *" $password "*) echo "redis: two of the secrets redis-<user> are the same: whoever has one would be both" >&2; exit 1 ;;
  esac
  users="$users
user $user on #$(hash "$password") ~$prefix:* &$prefix:* $rights"
  passwords="$passwords $password"
done

# How several of them know each other: by what none of the services knows, all the passwords at once.
node_password=$(hash "$passwords")
replication="masteruser node
masterauth $node_password"

settings='dir /data
appendonly yes
# What a crash of the machine may lose; a crash of Redis alone loses nothing.
appendfsync everysec
save ""
# A record that is dropped to make room would be a person signed out, or a spent code that is good again: a full Redis refuses
# writes instead. The bound leaves room for the copy that rewriting the log takes.
maxmemory '"${REDIS_MAXMEMORY:-384mb}"'
maxmemory-policy noeviction'

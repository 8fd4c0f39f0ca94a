# Sourced by the other scripts in this folder. It defines the users of Redis: one for each service, with its own password and keys
# and without administrative rights, so that a tool that reads the credentials of mcp-server cannot read the data of auth-server.
# The passwords are secrets, /run/secrets/redis-<user>; Redis gets their hashes.
# shellcheck shell=sh
set -eu
umask 077

hash() { printf %s "$1" | sha256sum | cut -c 1-64; }

# Key patterns limit most commands, but not commands that list names of keys and channels, or that affect all users.
rights='+@all -@admin -@dangerous +info +role -@scripting +eval +evalsha -scan -randomkey -dbsize -select -move'
rights="$rights -pubsub +pubsub|numsub -client +client|setname +client|setinfo"

# The user `default` is disabled. It still needs all rights, because Redis replays the log of changes as that user at start.
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
    *) echo "redis: unknown user $user" >&2; exit 1 ;;
  esac
  case "$passwords " in
    *" $password "*) echo "redis: two of the secrets redis-<user> are equal: each user needs its own password" >&2; exit 1 ;;
  esac
  users="$users
user $user on #$(hash "$password") ~$prefix:* &$prefix:* $rights"
  passwords="$passwords $password"
done

# The password between nodes, derived from all passwords together, which no service knows.
node_password=$(hash "$passwords")
replication="masteruser node
masterauth $node_password"

settings='dir /data
appendonly yes
# A crash of the machine may lose the last second; a crash of Redis alone loses nothing.
appendfsync everysec
save ""
# Evicting a record would sign a person out, or make a used code valid again, so a full Redis refuses writes instead. The limit leaves
# memory for the copy that a rewrite of the log needs.
maxmemory '"${REDIS_MAXMEMORY:-384mb}"'
maxmemory-policy noeviction'

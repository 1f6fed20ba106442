#!/bin/bash
# Machines looked at over SSH, each minute: the CPU of `noctty collect`, its memory and the
# connections to each of them, against the simulated servers of `noctty demo` in a process of their own. Needs python3 and ss.
#
#   benches/agentless.sh [HOSTS [MINUTES]]      default: 1000 2
set -euo pipefail
cd "$(dirname "$0")/.."
hosts=${1:-1000} minutes=${2:-2}
noctty=${NOCTTY:-target/release/noctty}
[ -x "$noctty" ] || cargo build --release --locked
ulimit -n "$(ulimit -Hn)"

folder=$(mktemp -d)
sim= client=
finish() {
    for pid in $client $sim; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap finish EXIT

"$noctty" demo --headless --steady --hosts "$hosts" --ssh-servers "$hosts" --switches 0 >"$folder/demo" &
sim=$!
while [ ! -s "$folder/demo" ]; do
    kill -0 "$sim" 2>/dev/null || { echo "the simulator did not start" >&2; exit 1; }
    sleep 0.1
done
# Its servers alone, and `linux` alone.
python3 - "$(cat "$folder/demo")" "$folder" <<'PYTHON'
import pathlib, sys, tomllib
config, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
demo = tomllib.loads(config.read_text())
hosts = [h for h in demo["host"] if h.get("group") == "servers" and h["name"] != "ns1"]
(folder / "noctty.toml").write_text(f'[ssh]\nconfig = "{demo["ssh"]["config"]}"\n' + "".join(
    f'[[host]]\nname = "{h["name"]}"\naddress = "{h["address"]}"\nssh = "{h["name"]}"\n'
    'checks = [{ kind = "linux", interval = "60s" }]\n' for h in hosts))
PYTHON

"$noctty" --config "$folder/noctty.toml" --state "$folder/state" collect --stats json >"$folder/stats" &
client=$!
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$client/status"; }
# Connections of the client, by the server that they go to.
connections() { ss -Htnp state established | grep "pid=$client," | awk '{ print $4 }' | sort | uniq -c; }
hz=$(getconf CLK_TCK)

# Logged in everywhere, and looked at at least once.
sleep 75
connections >"$folder/before"
begun=$(ticks "$client") sim_begun=$(ticks "$sim") began=$(date +%s%N)
sleep $((minutes * 60))
ended=$(ticks "$client") sim_ended=$(ticks "$sim") stopped=$(date +%s%N)
connections >"$folder/after"
memory=$(rss)
kill "$client"
wait "$client" || true
client=
awk -v n=$((ended - begun)) -v s=$((sim_ended - sim_begun)) -v hz="$hz" -v ns=$((stopped - began)) -v hosts="$hosts" -v kb="$memory" 'BEGIN {
    wall = ns / 1e9
    printf "%d hosts each minute, %.0f s: client %.2f %% of a core, %.2f ms a look; simulator %.2f %%\n",
        hosts, wall, 100 * n / hz / wall, 1000 * n / hz / (hosts * wall / 60), 100 * s / hz / wall
    printf "client memory %.0f MB, %.0f KB a host\n", kb / 1024, kb / hosts }'
awk '{ if ($1 > most) most = $1; all += $1 } END { printf "%d servers with a connection, %d connections, at most %d to one\n", NR, all, most }' "$folder/after"
python3 - "$folder/stats" <<'PYTHON'
import json, sys
stats = json.load(open(sys.argv[1]))
print({key: stats[key] for key in ("checks", "runs", "failures", "late", "wall_s", "cpu_user_s", "cpu_system_s", "peak_memory_bytes")})
PYTHON

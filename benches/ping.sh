#!/bin/bash
# Pings of noctty and of fping on the same addresses, by turns, in a network namespace of its own: as many hosts as asked for
# that answer, and as many that are silent (a route to nowhere). Prints CPU by ping and by cycle, and
# what the silent ones cost those that answer. Root; needs python3, iproute2 and fping, which it installs on Debian.
#
#   benches/ping.sh [HOSTS [SECONDS [RUNS]]]      default: 10000 20 3
set -euo pipefail
cd "$(dirname "$0")/.."
hosts=${1:-10000} seconds=${2:-20} runs=${3:-3}
noctty=${NOCTTY:-target/release/noctty}
[ -x "$noctty" ] || cargo build --release --locked
noctty=$(realpath "$noctty")
if ! command -v fping >/dev/null; then
    apt-get -qq update >&2
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends fping >&2
fi

space=noctty-ping-$$
folder=$(mktemp -d)
finish() {
    ip netns delete "$space" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
ip netns add "$space"
inside() { ip netns exec "$space" "$@"; }
inside ip link set lo up
inside ip route add local 10.64.0.0/16 dev lo
# What goes there comes back to a machine that it is not for and that forwards nothing.
inside ip address add 10.64.0.1/32 dev lo
inside ip route add 10.65.0.0/16 dev lo src 10.64.0.1
inside sysctl -qw net.ipv4.ping_group_range="0 2147483647" net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=1000000

python3 - "$hosts" "$folder" <<'PYTHON'
import pathlib, sys
hosts, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
def addresses(net): return [f"10.{net}.{i >> 8}.{i & 255}" for i in range(256, 256 + hosts)]
def config(which): return "".join(
    f'[[host]]\nname = "h{a}"\naddress = "{a}"\nchecks = [{{ kind = "icmp", interval = "5s" }}]\n' for a in which)
alive, silent = addresses(64), addresses(65)
(folder / "addresses").write_text("".join(f"{a}\n" for a in alive))
(folder / "alive.toml").write_text(config(alive))
(folder / "both.toml").write_text(config([a for pair in zip(alive, silent) for a in pair]))
PYTHON

cat >"$folder/measure.py" <<'PYTHON'
"""Runs one client for some seconds inside the namespace; prints what it used and how many echoes it sent."""
import json, os, re, resource, signal, subprocess, sys, time
what, seconds, noctty, folder = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4]
if what == "fping":
    cycles = max(1, round(seconds / 5))
    subprocess.run(["fping", "-q", "-c", str(cycles), "-p", "5000", "-i", "0.4", "-f", f"{folder}/addresses"],
                   stdout=subprocess.DEVNULL, stderr=open(f"{folder}/fping", "w"))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = [re.search(r"xmt/rcv/%loss = (\d+)/(\d+)/", line) for line in open(f"{folder}/fping")]
    sent, came = (sum(int(m[i]) for m in lines if m) for i in (1, 2))
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "pings": sent, "failed": sent - came}))
else:
    out = open(f"{folder}/out", "w+")
    run = subprocess.Popen([noctty, "--config", f"{folder}/{what}.toml", "--state", f"{folder}/state", "collect", "--stats", "json"],
                           stdout=out)
    # Its first round is spread over some seconds; then it is in its rhythm.
    time.sleep(6 + seconds)
    run.send_signal(signal.SIGTERM)
    run.wait()
    out.seek(0)
    said = json.load(out)
    print(json.dumps({"cpu": said["cpu_user_s"] + said["cpu_system_s"], "user": said["cpu_user_s"], "pings": said["runs"],
                      "failed": said["failures"], "late": said["late"], "memory": said["peak_memory_bytes"]}))
PYTHON
for _ in $(seq "$runs"); do
    for what in alive fping both; do
        rm -rf "$folder/state"
        inside python3 "$folder/measure.py" "$what" "$seconds" "$noctty" "$folder" | sed "s/^/$what /" >>"$folder/results"
    done
done

python3 - "$folder/results" "$hosts" <<'PYTHON'
import json, statistics, sys
rows, hosts = [line.split(" ", 1) for line in open(sys.argv[1])], int(sys.argv[2])
print(f"{hosts} hosts that answer, each pinged every 5 s; medians of {len(rows) // 3} runs:")
print(f"{'client':<34}{'pings':>9}{'us a ping':>11}{'% of a core':>13}{'no answer':>11}{'late':>6}")
cost = {}
for name, label, count in (("alive", "noctty collect", 1), ("fping", "fping", 1), ("both", "noctty, as many silent beside", 2)):
    mine = [json.loads(said) for what, said in rows if what == name]
    def median(value): return statistics.median(map(value, mine))
    cost[name] = median(lambda s: s["cpu"] / s["pings"])
    print(f"{label:<34}{median(lambda s: s['pings']):>9.0f}{1e6 * cost[name]:>11.2f}{100 * cost[name] * count * hosts / 5:>13.2f}"
          f"{median(lambda s: s['failed']):>11.0f}{median(lambda s: s.get('late', 0)):>6.0f}")
print(f"noctty : fping, by ping   {cost['alive'] / cost['fping']:.2f}")
PYTHON

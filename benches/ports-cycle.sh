#!/bin/bash
# Ports cycles of noctty and of the bare C client (benches/peers/fetch.c) on the same simulated switches, by turns, as
# docs/performance.md tells. Prints the medians of CPU and wall time per cycle, their ratios, and the simulator's own
# CPU apart. Needs python3; builds what is missing.
#
#   benches/ports-cycle.sh [SWITCHES [PORTS [RUNS [CYCLES]]]]      default: 1000 48 5 4
set -euo pipefail
cd "$(dirname "$0")/.."
switches=${1:-1000} ports=${2:-48} runs=${3:-5} cycles=${4:-4}
noctty=${NOCTTY:-target/release/noctty}
simulator=${SIMULATOR:-$noctty}
[ -x "$noctty" ] || cargo build --release --locked
[ -x target/peers/fetch ] && [ target/peers/fetch -nt benches/peers/fetch.c ] || benches/peers/build.sh

folder=$(mktemp -d)
sim=
finish() {
    if [ -n "$sim" ]; then kill "$sim" 2>/dev/null || true; wait "$sim" 2>/dev/null || true; fi
    rm -rf "$folder"
}
trap finish EXIT

# The network, in a process of its own, with nothing that breaks by itself.
"$simulator" demo --headless --steady --hosts 0 --switches "$switches" --ports "$ports" >"$folder/demo" &
sim=$!
while [ ! -s "$folder/demo" ]; do
    kill -0 "$sim" 2>/dev/null || { echo "the simulator did not start" >&2; exit 1; }
    sleep 0.1
done

# Its switches alone, for both clients.
python3 - "$(cat "$folder/demo")" "$folder" <<'PYTHON'
import pathlib, sys, tomllib
config, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
hosts = [h for h in tomllib.loads(config.read_text())["host"] if "snmp" in h]
secret = hosts[0]["snmp"]["community"]["file"]
(folder / "community").write_text(pathlib.Path(secret).read_text().splitlines()[0])
(folder / "agents").write_text("".join(f"{h['address']}:{h['snmp']['port']}\n" for h in hosts))
(folder / "noctty.toml").write_text("".join(
    f'[[host]]\nname = "{h["name"]}"\naddress = "{h["address"]}"\nchecks = []\n'
    f'snmp = {{ community = {{ file = "{secret}" }}, port = {h["snmp"]["port"]} }}\n' for h in hosts))
PYTHON

ticks() { awk '{ print $14 + $15 }' "/proc/$sim/stat"; }
measure() {
    local name=$1 before after
    shift
    before=$(ticks)
    "$@" >"$folder/out"
    after=$(ticks)
    printf '{"client": "%s", "sim_cpu_s": %s, "said": %s}\n' "$name" \
        "$(awk -v n=$((after - before)) -v hz="$(getconf CLK_TCK)" 'BEGIN { print n / hz }')" \
        "$(tr -d '\n' <"$folder/out")" >>"$folder/results"
}
collect() {
    rm -rf "$folder/state"
    "$noctty" --config "$folder/noctty.toml" --state "$folder/state" collect --cycles "$cycles" --stats json
}
fetch() { target/peers/fetch "$1" "$(cat "$folder/community")" 500 "$cycles" <"$folder/agents"; }

for _ in $(seq "$runs"); do
    measure noctty collect
    measure columns fetch columns
    measure full fetch full
done

python3 - "$folder/results" "$cycles" "$switches" "$ports" <<'PYTHON'
import json, statistics, sys
cycles = int(sys.argv[2])
rows = [json.loads(line) for line in open(sys.argv[1])]
print(f"{sys.argv[3]} switches x {sys.argv[4]} ports, medians of {len(rows) // 3} runs of {cycles} cycles, per cycle:")
print(f"{'client':<22}{'CPU s':>8}{'user':>8}{'system':>8}{'wall s':>8}{'requests':>10}{'varbinds':>10}{'failed':>8}{'simulator CPU s':>17}")
cpu = {}
for name, label in (("noctty", "noctty collect"), ("columns", "C client, columns"), ("full", "C client, full tables")):
    mine = [r for r in rows if r["client"] == name]
    def median(value):
        return statistics.median(value(r["said"]) for r in mine) / cycles
    wall = median(lambda s: sum(s["cycle_seconds"]) if "cycle_seconds" in s else s["wall_s"])
    cpu[name] = median(lambda s: s["cpu_user_s"] + s["cpu_system_s"])
    failed = sum(r["said"].get("failures", r["said"].get("failed")) for r in mine)
    sim = statistics.median(r["sim_cpu_s"] for r in mine) / cycles
    print(f"{label:<22}{cpu[name]:>8.3f}{median(lambda s: s['cpu_user_s']):>8.3f}{median(lambda s: s['cpu_system_s']):>8.3f}"
          f"{wall:>8.3f}{median(lambda s: s['requests']):>10.0f}{median(lambda s: s['varbinds']):>10.0f}{failed:>8}{sim:>17.3f}")
peak = statistics.median(r["said"]["peak_memory_bytes"] for r in rows if r["client"] == "noctty")
print(f"noctty : C client, same columns   {cpu['noctty'] / cpu['columns']:.2f}")
print(f"noctty : C client, full tables    {cpu['noctty'] / cpu['full']:.2f}")
print(f"noctty, peak memory               {peak / 1e6:.0f} MB, {peak / int(sys.argv[3]) / int(sys.argv[4]):.0f} B a port")
PYTHON

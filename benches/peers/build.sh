#!/bin/bash
# Builds the C client that docs/performance.md compares with, into target/peers/fetch. Installs net-snmp's headers on
# Debian where they are missing; run as root, or as a user who may use sudo.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ ! -e /usr/include/net-snmp/net-snmp-config.h ]; then
    as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo --non-interactive "$@"; fi; }
    echo "installing gcc and libsnmp-dev" >&2
    as_root apt-get -qq update >&2
    DEBIAN_FRONTEND=noninteractive as_root apt-get -qq install -y --no-install-recommends gcc libc6-dev libsnmp-dev >&2
fi
mkdir -p target/peers
gcc -O2 -Wall -Wextra -Werror -o target/peers/fetch benches/peers/fetch.c -lnetsnmp

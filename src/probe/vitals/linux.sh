# noctty: reads how this machine is, changes nothing. A line comes in: a mark for this run, and the parts that are wanted.
read -r m w || exit 9
exec </dev/null 2>/dev/null
LC_ALL=C TZ=UTC PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL TZ PATH
printf "\n%s time\n%s\n" "$m" "$(date +%s.%N)"
s() { printf "\n%s %s\n" "$m" "$1"; }
has() { command -v "$1" >/dev/null; }
digest() { if has sha256sum; then sha256sum; else cksum; fi; }
wants() { case " $w " in *" $1 "*) return 0 ;; esac; return 1; }
t=; timeout 5 true && t="timeout 5"
newest() { for f; do [ -e "$f" ] && date -r "$f" +%s; done | sort -n | tail -n 1; }
# Runs a packager that would lock and write where all of that is its own and is gone with it: as nobody but itself, with
# empty places to write to and without a network. Where that cannot be had, it does not run.
apart() {
  [ "$i" = 0 ] && [ -z "$u" ] && return
  set -- unshare -r -m -n sh -c "for d in /tmp /var/tmp /var/log /run; do mount -t tmpfs none \$d || exit 9; done
    mkdir /tmp/c; ln -s /var/cache/dnf/* /var/cache/libdnf5/* /tmp/c; echo apart; exec \"\$@\"" sh "$@"
  ${t:+timeout -k 1 5} nice $u "$@" 2>&1
}
# What the packager counts, how it ended, and what it complains of. Whoever takes too long is not asked a second thing.
asked() {
  k=$1 p=$2; shift 2
  o=$(apart "$@"); r=$?
  printf "%s\n" "$o" | grep -qx apart || { echo denied; return 124; }
  echo "$k $r $(printf "%s\n" "$o" | sed "s/></>\n</g" | grep "$p" | sort -u | grep -c .)"
  printf "%s\n" "$o" | grep -E "^(Error|Ignoring repositories):|type=.(error|warning).>" | head -n 8
  [ "$r" -lt 124 ]
}
# Whoever only reads packages is not root even where we are: as root the files beside their database would be touched.
i= u=
humble() {
  i=$(id -u)
  [ "$i" = 0 ] && chroot --userspec=65534:65534 --groups= / true && u="chroot --userspec=65534:65534 --groups= /"
}
# The packager, and each package with its version.
installed() {
  if has dpkg-query && [ -s /var/lib/dpkg/status ]; then echo dpkg; dpkg-query -W -f "\${Status} \${Package} \${Architecture} \${Version}\n" | grep " installed "
  elif has rpm && { [ -d /var/lib/rpm ] || [ -d /usr/lib/sysimage/rpm ]; }; then echo rpm; $u rpm -qa --qf "%{NAME} %{ARCH} %{VERSION}-%{RELEASE}\n"
  elif has apk; then echo apk; apk info -v
  elif has pacman; then echo pacman; pacman -Q
  fi
}
if wants slow || wants list; then humble; fi
# A path of /proc/mounts without its escapes: "\0402" would be one character to printf.
plain() { case $1 in *\\*) printf "%b" "$(printf "%s" "$1" | sed "s/\\\\/\\\\0/g")" ;; *) printf "%s" "$1" ;; esac; }
runs() { read -r a b c d </proc/$1/stat && case $c in Z) return 1 ;; esac; }
# The mounts on which somebody waits who asked before and could not be ended.
waiting() {
  for k in /proc/[0-9]*/stat; do
    read -r a b c d <$k && [ "$c" = D ] || continue
    case $b in "(stat)"|"(busybox)"|"(exe)") $t tr "\000" "\n" <${k%stat}cmdline | tail -n 1 ;; esac
  done
}
# Asks each mount of $far for a sign of life, all at once and for some two seconds: who hangs is ended, and named.
# Where one waits already, no other is sent.
silent() (
  q= n=0 o="
$(waiting)
"
  set -f
  for p in $far; do
    m=$(plain "$p")
    case $o in *"
$m
"*) printf "silent %s\n" "$p"; continue ;; esac
    q="$q$(sh -c "printf \"%s:%s \" \$\$ \"\$2\"; exec env stat -f \"\$1\" >/dev/null" sh "$m" "$p" &)"
  done
  while [ -n "$q" ]; do
    l=
    for k in $q; do runs ${k%%:*} && l="$l$k "; done
    q=$l
    [ -z "$q" ] || [ $n -ge 12 ] && break
    if sleep 0.2; then n=$((n + 1)); else sleep 1; n=$((n + 5)); fi
  done
  for k in $q; do kill -9 ${k%%:*}; printf "silent %s\n" "${k#*:}"; done
)

if wants fast; then
  s loadavg; cat /proc/loadavg
  s stat; grep "^cpu " /proc/stat; grep -c "^cpu[0-9]" /proc/stat
  s meminfo; grep -E "^(MemTotal|MemAvailable|SwapTotal|SwapFree):" /proc/meminfo
  s vmstat; grep -E "^(pswpin|oom_kill) " /proc/vmstat
  s pressure; for f in cpu memory io; do sed "s/^/$f /" /proc/pressure/$f; done
  s uptime; cat /proc/uptime
  s system; uname -n; uname -r; uname -m
  s release; grep "^PRETTY_NAME=" /etc/os-release
fi

if wants state; then
  s mdstat; cat /proc/mdstat
  s reboot
  [ -e /run/reboot-required ] && echo required && head -n 20 /run/reboot-required.pkgs
  [ -e /var/run/reboot-required ] && echo required
  for f in /lib/modules/*/modules.dep; do [ -e "$f" ] && printf "kernel %s\n" "$f"; done
  s keeping
  [ -e /run/systemd/timesync/synchronized ] && echo timesyncd
  has chronyc && $t chronyc -c tracking
  s users; has who && { echo who; who | head -n 200; }
  s units
  if [ -d /run/systemd/system ]; then
    echo systemd
    $t systemctl list-units --state=failed --plain --no-legend --no-pager --full && echo told
  fi
  s zpool; has zpool && { $t zpool list -H -p -o name,size,capacity,health && echo told; }
fi

if wants disks || wants remote; then
  s mounts
  set --
  n=0 beyond=0 known=" " far= auto=
  while read -r d p y o f; do
    case $y in
      overlay) [ "$p" = / ] || continue ;;
      ext2|ext3|ext4|xfs|btrfs|zfs|f2fs|vfat|exfat|jfs|ubifs|bcachefs|ntfs3) ;;
      autofs) auto="$auto$p "; continue ;;
      nfs|nfs4|cifs|smb3|ceph|9p|fuse|fuseblk|fuse.*)
        [ $n -lt 256 ] && printf "remote %s %s %s\n" "$y" "$p" "$o"
        n=$((n + 1))
        # What is mounted when it is needed would stay for being asked.
        for a in $auto; do case $p/ in "$a"/*) continue 2 ;; esac; done
        far="$far$p "
        continue ;;
      *) continue ;;
    esac
    case $p in /snap/*|/var/lib/docker/*|/var/lib/containers/*|/etc/*) continue ;; esac
    [ $n -lt 256 ] && printf "local %s %s %s\n" "$y" "$p" "$o"
    n=$((n + 1))
    case $known in *" $d "*) [ $# -lt 32 ] || continue ;; esac
    if [ $# -lt 64 ]; then known="$known$d " && set -- "$@" "$(plain "$p")"; else beyond=$((beyond + 1)); fi
  done </proc/mounts
  [ $beyond = 0 ] || echo "beyond $beyond"
  h=$([ -z "$far" ] || silent)
  s remote; printf "%s\n" "$h"
  # The df of BusyBox looks at every mount, the one that hangs too.
  if wants disks && [ $# -gt 0 ]; then
    if [ -z "$h" ] || df --version >/dev/null; then
      s df; $t df -Pk "$@"
      s inodes; $t df -Pi "$@"
    else s unasked
    fi
  fi
fi

if wants slow; then
  s packages; installed | { read -r f && { echo "$f"; p=$(sort); printf "%s\n" "$p" | wc -l; printf "%s\n" "$p" | digest; }; }
  s routes; { ip -4 route || cat /proc/net/route; } | head -n 200; ip -6 route | head -n 200
  s updates
  if has apt-get && [ -s /var/lib/dpkg/status ]; then
    echo apt
    date -r /var/lib/apt/lists +%s
    ${t:+timeout 10} nice apt-get -s -q -o Debug::NoLocking=true -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= dist-upgrade | grep -E "^(Inst |[0-9]+ upgraded)" | head -n 500
  elif has apk; then
    echo apk; newest /var/cache/apk/APKINDEX* /etc/apk/cache/APKINDEX*
    $t apk --no-network version -l "<" && echo told
  elif has dnf; then
    echo dnf; newest /var/cache/dnf/*/repodata/repomd.xml /var/cache/libdnf5/*/repodata/repomd.xml
    for k in "" --security; do
      asked "${k:---all}" "^+" dnf -C --setopt=plugins=False --setopt=cachedir=/tmp/c --setopt=system_cachedir=/tmp/c repoquery --upgrades --qf "+%{name}.%{arch}\n" $k || break
    done
  elif has zypper; then
    echo zypper; newest /var/cache/zypp/raw/*/repodata/repomd.xml
    asked --all "<update kind=" zypper --no-refresh --non-interactive --xmlout list-updates &&
      asked --security "<update kind=.*category=.security." zypper --no-refresh --non-interactive --xmlout list-patches
  elif has pacman; then
    echo pacman; newest /var/lib/pacman/sync/*.db
    pacman -Qu; [ $? -lt 2 ] && echo told
  else
    for p in yum microdnf rpm-ostree; do has $p && { echo "$p"; break; }; done
  fi
  s smart
  if has smartctl; then
    if [ "$(id -u)" = 0 ]; then
      smartctl --scan | head -n 64 | while read -r f a b c; do printf "device %s\n" "$f"; $t smartctl -n standby -d "$b" -H "$f"; done
    else echo denied
    fi
  fi
fi
if wants list; then s list; installed; fi
s end
